// Exchanges over MPI, between buffers in host memory. With an emulated link, an exchange takes as long as its bytes
// need on that link. The ranks tell each other when they began and ended an exchange; in between, the emulated transfer
// and MPI's messages run side by side.

#include <mpi.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstring>
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
constexpr int end_tag = 9;
constexpr int64_t largest_message = int64_t{1} << 30;  // MPI counts are int

bool all_done(std::vector<MPI_Request>& requests) {
  int done = 0;
  mpiCheck(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE));
  return done != 0;
}

// On a laptop there may be more ranks than cores: a waiting rank yields its core instead of spinning.
void wait_politely(std::vector<MPI_Request>& requests) {
  constexpr int eager_looks = 20;
  const timespec nap{.tv_sec = 0, .tv_nsec = 20'000};
  for (int looks = 0; !all_done(requests); ++looks) {
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
      : Communicator(device, place.stream),
        device_(device),
        stream_(place.stream),
        group_(place.among),
        comm_(group_.ranks()),
        rank_(group_.rank()),
        same_clock_(group_.on_this_node()) {}

  CommunicatorKind kind() const override { return CommunicatorKind::mpi; }

  void exchange(std::span<const Exchange> exchanges) override {
    std::vector<Exchange> list(exchanges.begin(), exchanges.end());
    if (device_.link() == nullptr) {
      device_.enqueue(stream_, [this, list = std::move(list)] {
        Messages messages = post(list);
        wait_politely(messages.requests);
      });
    } else {
      const bool closes = must_close_gate();
      device_.enqueue_timed(
          stream_, [this, closes, list = std::move(list)](int64_t begin) { return over_link(list, begin, closes); });
      open_gate();
    }
  }

 private:
  struct Messages {
    std::vector<MPI_Request> requests;
    int64_t sent = 0, received = 0;  // bytes, to and from peers
  };

  // MPI moves the messages at the speed of memory, but the exchange lasts as long as they need on the link. Its time
  // begins when the last rank has reached the exchange, and ends for all ranks when the last part is through. The ranks
  // tell each other both times, because the system may give a rank no core at that very moment. When MPI takes longer
  // to move the messages than the link, the exchange lasts as long as MPI.
  int64_t over_link(const std::vector<Exchange>& exchanges, int64_t begin, bool closes_gate) {
    const int64_t since = latest(exchanges, begin, arrival_tag);
    const int64_t used = thread_processor_ns();
    if (closes_gate) device_.gate().close();
    Messages messages = post(exchanges);
    const int64_t end =
        device_.link()->occupy_both(messages.received, messages.sent, since, [&] { all_done(messages.requests); });
    wait_politely(messages.requests);
    return latest(exchanges, std::max(end, since + thread_processor_ns() - used), end_tag);
  }

  // Waits until each rank that sends to this one has sent its time. Returns the latest of these times and `own`, by
  // this rank's clock. For a rank of another node, whose clock differs, the time at which its message was seen counts.
  int64_t latest(const std::vector<Exchange>& exchanges, int64_t own, int tag_of_time) {
    std::vector<MPI_Request> requests;
    std::vector<int64_t> theirs(exchanges.size());
    for (size_t i = 0; i < exchanges.size(); ++i) {
      const Exchange& each = exchanges[i];
      if (each.peer == rank_) continue;
      if (each.receive_bytes > 0) {
        requests.push_back(MPI_REQUEST_NULL);
        mpiCheck(MPI_Irecv(&theirs[i], 1, MPI_INT64_T, each.peer, tag_of_time, comm_, &requests.back()));
      }
      if (each.send_bytes > 0) {
        requests.push_back(MPI_REQUEST_NULL);
        mpiCheck(MPI_Isend(&own, 1, MPI_INT64_T, each.peer, tag_of_time, comm_, &requests.back()));
      }
    }
    wait_politely(requests);
    const int64_t now = monotonic_ns();
    int64_t time = own;
    for (size_t i = 0; i < exchanges.size(); ++i) {
      if (exchanges[i].peer == rank_ || exchanges[i].receive_bytes == 0) continue;
      time = std::max(time, same_clock_.at(static_cast<size_t>(exchanges[i].peer)) ? theirs[i] : now);
    }
    return std::min(time, now);
  }

  // Starts all sends and receives.
  Messages post(const std::vector<Exchange>& exchanges) {
    Messages messages;
    auto in_pieces = [&](int64_t bytes, auto call) {
      for (int64_t done = 0; done < bytes; done += largest_message) {
        messages.requests.push_back(MPI_REQUEST_NULL);
        call(done, static_cast<int>(std::min(largest_message, bytes - done)), &messages.requests.back());
      }
    };
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) continue;
      messages.received += each.receive_bytes;
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
      messages.sent += each.send_bytes;
      in_pieces(each.send_bytes, [&](int64_t at, int bytes, MPI_Request* request) {
        mpiCheck(
            MPI_Isend(static_cast<const std::byte*>(each.send) + at, bytes, MPI_BYTE, each.peer, tag, comm_, request));
      });
    }
    return messages;
  }

  CpuDevice& device_;
  StreamId stream_;
  RankGroup group_;
  MPI_Comm comm_;
  int rank_;
  std::vector<bool> same_clock_;  // by rank: whether it is on this node, whose ranks have one CLOCK_MONOTONIC
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(CpuDevice& device, CommunicatorPlace place) {
  return std::make_unique<MpiCommunicator>(device, place);
}

}  // namespace wansweep
