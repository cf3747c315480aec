// Opens the device and the communicator of a run: the one place that knows both backends.
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

// Collective. On cuda, each rank takes the GPU whose number is the rank's number on its node. A failure of one rank is
// thrown on all: Error(bad_input) for a backend that this build does not have, or a communicator that does not belong
// to the backend; Error(device_unavailable) for hardware, see worker/device/cuda/cuda_device.h.
Backend open_backend(MpiWorld& world, const RunSettings& settings);

// To be called before open_backend, which takes device memory itself. Collective; throws Error(device_unavailable) on
// all ranks, naming the processes and their memory, when others use a rank's GPU. Does nothing on the cpu backend.
void refuse_used_device(MpiWorld& world, const RunSettings& settings);

// The communicator of ranks of this node that copy parts of weights for each other: IPC where they can read each
// other's device memory, or else the kind that the run's exchanges use. Collective over all ranks.
std::unique_ptr<Communicator> open_peer_communicator(const Backend& backend, const RunSettings& settings);

}  // namespace wansweep
