// How ranks exchange device memory: one primitive, from which all-to-all, ring and guidance exchange are made.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "worker/device/device.h"

namespace wansweep {

// What this rank sends to and receives from one peer. A peer that is this rank itself is a copy.
struct Exchange {
  int peer = 0;  // rank of the run
  const void* send = nullptr;
  int64_t send_bytes = 0;
  void* receive = nullptr;
  int64_t receive_bytes = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  // All of `exchanges` at once, on the comm stream. Each pair of ranks must name each other in the same order, with
  // equal sizes. A failure surfaces at the device's next synchronize() as Error(communicator).
  virtual void exchange(std::span<const Exchange> exchanges) = 0;
};

// Over MPI, for the cpu backend: messages also pass the link, as they would share a PCIe wire with the weights.
class CpuDevice;
std::unique_ptr<Communicator> make_mpi_communicator(CpuDevice& device);

// Of the CUDA backend, in builds that have it. Both are collective over MPI_COMM_WORLD, and `device` must outlive them.
// NCCL: one GPU a rank, any number of nodes.
std::unique_ptr<Communicator> make_nccl_communicator(Device& device);
// CUDA IPC: all ranks on one node; copy engines move the bytes; several ranks may share one GPU.
std::unique_ptr<Communicator> make_ipc_communicator(Device& device);

}  // namespace wansweep
