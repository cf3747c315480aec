// How ranks exchange device memory: one primitive, from which all-to-all, ring, guidance exchange and the exchange of
// parts of weights are made.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "schema/setting_values.h"
#include "worker/device/device.h"

namespace wansweep {

// What this rank sends to and receives from one peer. A peer that is this rank itself is a copy.
struct Exchange {
  int peer = 0;  // rank among those of the communicator
  const void* send = nullptr;
  int64_t send_bytes = 0;
  void* receive = nullptr;
  int64_t receive_bytes = 0;
};

// All ranks of the run, or those of this node; both in the run's order.
enum class Among : uint8_t { run, node };

// Of its own for each stream: exchanges of two streams run at the same time.
struct CommunicatorPlace {
  StreamId stream = StreamId::comm;
  Among among = Among::run;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  // All of `exchanges` at once, on the communicator's stream. Each pair of ranks must name each other in the same
  // order, with equal sizes. A failure surfaces at the device's next synchronize() as Error(communicator).
  virtual void exchange(std::span<const Exchange> exchanges) = 0;
  // What moves the data; never automatic.
  virtual CommunicatorKind kind() const = 0;

  // From now on the device's gate is closed while data of an exchange moves: from when all peers of this rank have come
  // to it, not from when this rank has. To be set on all ranks alike.
  void set_closes_gate(bool closes) { closes_gate_ = closes; }

 protected:
  bool closes_gate_ = false;
};

// Over MPI, for the cpu backend: messages also pass the link, as they would share a PCIe wire with the weights.
// Collective, as the others, over the ranks that it is among.
class CpuDevice;
std::unique_ptr<Communicator> make_mpi_communicator(CpuDevice& device, CommunicatorPlace place = {});

// Of the CUDA backend, in builds that have it. `device` must outlive them.
// NCCL: one GPU a rank, any number of nodes.
std::unique_ptr<Communicator> make_nccl_communicator(Device& device, CommunicatorPlace place = {});
// CUDA IPC: all ranks on one node; copy engines move the bytes; several ranks may share one GPU.
std::unique_ptr<Communicator> make_ipc_communicator(Device& device, CommunicatorPlace place = {});
// Whether the ranks of this node can read each other's device memory, and the user has not told NCCL to do without
// (NCCL_P2P_DISABLE). Collective over them; the same answer for all.
bool peers_can_read_each_other(Device& device);

}  // namespace wansweep
