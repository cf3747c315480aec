// Which device and which communicator a run takes: the one place that knows of both backends.
#pragma once

#include <memory>

#include "schema/run_settings.h"
#include "worker/comm/communicator.h"
#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"

namespace wansweep {

struct Backend {
  std::unique_ptr<Device> device;
  std::unique_ptr<Communicator> communicator;  // null on one rank; uses the device
};

// Collective. On cuda a rank takes the GPU of its place on the node. What goes wrong on one rank is thrown on all:
// Error(bad_input) for a backend that this build has not, or a communicator that is not the backend's;
// Error(device_unavailable) for hardware, see worker/device/cuda/cuda_device.h.
Backend open_backend(MpiWorld& world, const RunSettings& settings);

// Before open_backend, which then takes memory itself. Collective; throws on all ranks Error(device_unavailable),
// naming the processes and their memory, when others use a rank's GPU. The cpu backend shares its host with whoever is
// there.
void refuse_used_device(MpiWorld& world, const RunSettings& settings);

// For ranks of this node that bring parts of weights for each other: copy engines where they can read each other's
// device memory, else what moves the run's exchanges. Collective over all ranks.
std::unique_ptr<Communicator> open_peer_communicator(const Backend& backend, const RunSettings& settings);

}  // namespace wansweep
