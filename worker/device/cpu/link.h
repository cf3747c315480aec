// The link between host and device memory of the CPU backend: a rate in each direction, full duplex.
//
// Every chunk of a copy reserves its time on the link, and the copying thread sleeps until that time is over. So
// streams or ranks that copy at the same time take turns chunk by chunk, and each gets its share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace wansweep {

enum class Direction { in, out };  // to the device, to the host

// The times, on CLOCK_MONOTONIC, at which the link is free again in each direction. Zeroed memory is a valid state. In
// memory that the ranks of a node share, they share one link.
struct LinkState {
  std::atomic<int64_t> next_free_ns[2];
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

class Link {
 public:
  // `rate` is in bytes a second, above 0. `shared` must outlive the link; null: the link is this rank's own.
  Link(double in_rate, double out_rate, LinkState* shared = nullptr);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Two kinds of traffic, which began at `since` (monotonic_ns): the link's time counts from then on, as far as the
  // link was free. Each call returns when the last byte has arrived. The result is the time at which the link had it
  // there, which is earlier than now when this thread got no core in time.

  // Copies the bytes in the link's time; with null pointers it only takes that time.
  int64_t transfer(Direction direction, void* to, const void* from, int64_t bytes, int64_t since);
  // Takes both directions at once, as an exchange with peers does. The caller moves the data itself: `move_on` is
  // called between the link's chunks.
  int64_t occupy_both(int64_t in_bytes, int64_t out_bytes, int64_t since, const std::function<void()>& move_on);

  double rate(Direction direction) const { return direction == Direction::in ? in_rate_ : out_rate_; }

 private:
  double in_rate_;
  double out_rate_;
  LinkState own_{};
  LinkState* state_;
};

}  // namespace wansweep
