#include <mpi.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/mpi_check.h"
#include "worker/comm/communicator.h"
#include "worker/comm/group.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {

namespace {

constexpr int tag = 7;
constexpr int arrival_tag = 8;
constexpr int64_t largest_message = int64_t{1} << 30;  // MPI counts are int

// Ranks outnumber the cores on a laptop: waiting gives the core away instead of spinning on it.
void wait_politely(std::vector<MPI_Request>& requests) {
  constexpr int eager_looks = 20;
  const timespec nap{.tv_sec = 0, .tv_nsec = 20'000};
  for (int looks = 0;; ++looks) {
    int done = 0;
    mpiCheck(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE));
    if (done != 0) return;
    if (looks < eager_looks) {
      sched_yield();
    } else {
      nanosleep(&nap, nullptr);
    }
  }
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(CpuDevice& device, CommunicatorPlace place)
      : device_(device), stream_(place.stream), group_(place.among), comm_(group_.ranks()), rank_(group_.rank()) {}

  CommunicatorKind kind() const override { return CommunicatorKind::mpi; }

  void exchange(std::span<const Exchange> exchanges) override {
    device_.enqueue(stream_, [this, list = std::vector<Exchange>(exchanges.begin(), exchanges.end())] { move(list); });
  }

 private:
  // Until all that send to this rank have come.
  void await_senders(const std::vector<Exchange>& exchanges) {
    std::vector<MPI_Request> requests;
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) continue;
      if (each.receive_bytes > 0) {
        requests.push_back(MPI_REQUEST_NULL);
        mpiCheck(MPI_Irecv(nullptr, 0, MPI_BYTE, each.peer, arrival_tag, comm_, &requests.back()));
      }
      if (each.send_bytes > 0) {
        requests.push_back(MPI_REQUEST_NULL);
        mpiCheck(MPI_Isend(nullptr, 0, MPI_BYTE, each.peer, arrival_tag, comm_, &requests.back()));
      }
    }
    wait_politely(requests);
  }

  void move(const std::vector<Exchange>& exchanges) {
    // The messages pass at the speed of memory, within the time that the wire takes for them.
    int64_t since = 0;
    std::optional<ClosedGate> closed;
    if (device_.link() != nullptr) {
      await_senders(exchanges);
      since = monotonic_ns();
      if (closes_gate_) closed.emplace(device_.gate());
    }
    std::vector<MPI_Request> requests;
    int64_t sent = 0, received = 0;
    auto in_pieces = [&](int64_t bytes, auto call) {
      for (int64_t done = 0; done < bytes; done += largest_message) {
        requests.push_back(MPI_REQUEST_NULL);
        call(done, static_cast<int>(std::min(largest_message, bytes - done)), &requests.back());
      }
    };
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) continue;
      received += each.receive_bytes;
      in_pieces(each.receive_bytes, [&](int64_t at, int bytes, MPI_Request* request) {
        mpiCheck(
            MPI_Irecv(static_cast<std::byte*>(each.receive) + at, bytes, MPI_BYTE, each.peer, tag, comm_, request));
      });
    }
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) {
        std::memcpy(each.receive, each.send, static_cast<size_t>(each.send_bytes));
        continue;
      }
      sent += each.send_bytes;
      in_pieces(each.send_bytes, [&](int64_t at, int bytes, MPI_Request* request) {
        mpiCheck(
            MPI_Isend(static_cast<const std::byte*>(each.send) + at, bytes, MPI_BYTE, each.peer, tag, comm_, request));
      });
    }
    wait_politely(requests);
    if (device_.link() != nullptr) device_.link()->occupy_both(received, sent, since);
  }

  CpuDevice& device_;
  StreamId stream_;
  RankGroup group_;
  MPI_Comm comm_;
  int rank_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(CpuDevice& device, CommunicatorPlace place) {
  return std::make_unique<MpiCommunicator>(device, place);
}

}  // namespace wansweep
