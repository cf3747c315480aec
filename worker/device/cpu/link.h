// The wire between host and device memory of the CPU backend: a rate in each direction, full duplex.
//
// Every chunk of a copy reserves its time on the wire and the copier sleeps until that time is over. Users that copy at
// once, streams or ranks, therefore interleave chunk by chunk and each gets its share.
#pragma once

#include <atomic>
#include <cstdint>

namespace wansweep {

enum class Direction { in, out };  // to the device, to the host

// When the wire is free again in each direction, on CLOCK_MONOTONIC. Zeroed memory is a valid state, and it may lie in
// memory that the ranks of a node share: then they share one wire.
struct LinkState {
  std::atomic<int64_t> next_free_ns[2];
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

class Link {
 public:
  // Bytes a second, above 0. `shared` must outlive the link; null: a wire of its own.
  Link(double in_rate, double out_rate, LinkState* shared = nullptr);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Copies and takes the wire time of it; returns when the last byte has arrived.
  void transfer(Direction direction, void* to, const void* from, int64_t bytes);
  // Takes the wire time only: for traffic that something else moves, such as a communicator.
  void occupy(Direction direction, int64_t bytes);
  // Both directions at once, as an exchange with peers takes them, which began at `since` (monotonic_ns): the wire's
  // time counts from there, as far as it was free.
  void occupy_both(int64_t in_bytes, int64_t out_bytes, int64_t since);

  double rate(Direction direction) const { return direction == Direction::in ? in_rate_ : out_rate_; }

 private:
  void move(Direction direction, void* to, const void* from, int64_t bytes);

  double in_rate_;
  double out_rate_;
  LinkState own_{};
  LinkState* state_;
};

}  // namespace wansweep
