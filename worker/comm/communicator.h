// How ranks exchange device memory: one primitive, of which all-to-all, ring, guidance exchange and the exchange of
// parts of weights consist. The rank's main thread calls it; the exchanges run on a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "schema/setting_values.h"
#include "worker/device/device.h"

namespace wansweep {

// What this rank sends to one peer and receives from it. An exchange with the rank itself is a copy.
struct Exchange {
  int peer = 0;  // rank among those of the communicator
  const void* send = nullptr;
  int64_t send_bytes = 0;
  void* receive = nullptr;
  int64_t receive_bytes = 0;
};

// The ranks of a communicator: all ranks of the run, or those of this node; both in the run's order.
enum class Among : uint8_t { run, node };

// Each stream has a communicator of its own, so that exchanges of two streams run at the same time.
struct CommunicatorPlace {
  StreamId stream = StreamId::comm;
  Among among = Among::run;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  // Enqueues all of `exchanges`, at once, on the communicator's stream. Each pair of ranks must name each other in the
  // same order, with equal sizes. The device's next synchronize() throws a failure as Error(communicator).
  virtual void exchange(std::span<const Exchange> exchanges) = 0;
  // The kind that moves the data; never automatic.
  virtual CommunicatorKind kind() const = 0;

  // From now on the device's gate is closed while data of an exchange moves: from the time at which all peers of this
  // rank have reached the exchange. Must be called on all ranks or on none.
  void set_closes_gate(bool closes) { closes_gate_ = closes; }

  // In a burst, a gate that an exchange has closed stays closed until the burst ends: a copy that began in the short
  // pause between two exchanges would slow the second one down. Within a burst no rank may wait for a copy that the
  // gate holds. All ranks begin and end the same bursts; use Burst.
  void begin_burst() { in_burst_ = true; }
  void end_burst() {
    in_burst_ = false;
    open_gate();
  }

 protected:
  Communicator(Device& device, StreamId stream) : gated_(device), gated_stream_(stream) {}

  // Whether the exchange that is being enqueued must close the gate, once all peers have reached it; in a burst, only
  // the first one must. The caller then closes it, behind the peers' arrival.
  bool must_close_gate() {
    if (!closes_gate_ || closed_) return false;
    closed_ = true;
    return true;
  }
  // Behind the exchange; in a burst, the gate stays closed.
  void open_gate() {
    if (!closed_ || in_burst_) return;
    gated_.open_gate(gated_stream_);
    closed_ = false;
  }

 private:
  Device& gated_;
  StreamId gated_stream_;
  bool closes_gate_ = false;
  bool in_burst_ = false;
  bool closed_ = false;  // by work that is enqueued
};

// A burst of exchanges for a scope, also when an exception ends it.
class Burst {
 public:
  explicit Burst(Communicator& communicator) : communicator_(communicator) { communicator_.begin_burst(); }
  ~Burst() { communicator_.end_burst(); }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

 private:
  Communicator& communicator_;
};

// The communicator of the cpu backend, over MPI. Messages take time on the emulated link that the weights use too, as
// on a shared PCIe link.
// Making a communicator, of any kind, is collective over its ranks.
class CpuDevice;
std::unique_ptr<Communicator> make_mpi_communicator(CpuDevice& device, CommunicatorPlace place = {});

// The communicators of the CUDA backend, in builds that have it. `device` must outlive them.
// NCCL: one GPU a rank, any number of nodes.
std::unique_ptr<Communicator> make_nccl_communicator(Device& device, CommunicatorPlace place = {});
// CUDA IPC: all ranks on one node, of which several may share one GPU; copy engines move the bytes.
std::unique_ptr<Communicator> make_ipc_communicator(Device& device, CommunicatorPlace place = {});
// Whether the ranks of this node can read each other's device memory. False also when the user has forbidden it to NCCL
// (NCCL_P2P_DISABLE). Collective over the ranks of the node; all get the same answer.
bool peers_can_read_each_other(Device& device);

}  // namespace wansweep
