#include "worker/device/cpu/link.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "base/clock.h"
#include "base/error.h"

namespace wansweep {
namespace {

constexpr int64_t chunk_bytes = int64_t{256} * 1024;

void sleep_until(int64_t time_ns) {
  const timespec until{.tv_sec = time_ns / 1'000'000'000, .tv_nsec = time_ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

// Reserves `duration` of the link, not before `earliest` and after all earlier reservations. Returns the end.
int64_t reserve(std::atomic<int64_t>& next_free, int64_t earliest, int64_t duration) {
  int64_t free_at = next_free.load();
  int64_t end = 0;
  do {
    end = std::max(free_at, earliest) + duration;
  } while (!next_free.compare_exchange_weak(free_at, end));
  return end;
}

}  // namespace

Link::Link(double in_rate, double out_rate, LinkState* shared)
    : in_rate_(in_rate), out_rate_(out_rate), state_(shared != nullptr ? shared : &own_) {
  for (const double rate : {in_rate, out_rate}) {
    if (!(rate > 0) || !std::isfinite(rate)) {
      throw bad_input(fmt::format("link: the rate is {} bytes/s; it must be above 0", rate));
    }
  }
}

int64_t Link::transfer(Direction direction, void* to, const void* from, int64_t bytes, int64_t since) {
  std::atomic<int64_t>& next_free = state_->next_free_ns[direction == Direction::in ? 0 : 1];
  const double ns_per_byte = 1e9 / rate(direction);
  // A chunk may start when the one before it ended, even if this thread woke later, since a copy engine has no such
  // delay. So oversleeping does not lower the rate; and since reserved time is never given back, the rate is never
  // exceeded.
  int64_t end = since;
  for (int64_t done = 0; done < bytes; done += chunk_bytes) {
    const int64_t chunk = std::min(chunk_bytes, bytes - done);
    end = reserve(next_free, end, std::llround(static_cast<double>(chunk) * ns_per_byte));
    if (to != nullptr) {
      std::memcpy(static_cast<std::byte*>(to) + done, static_cast<const std::byte*>(from) + done,
                  static_cast<size_t>(chunk));
    }
    if (monotonic_ns() < end) sleep_until(end);
  }
  return end;
}

int64_t Link::occupy_both(int64_t in_bytes, int64_t out_bytes, int64_t since, const std::function<void()>& move_on) {
  int64_t in_end = since, out_end = since;
  auto take = [](std::atomic<int64_t>& next_free, int64_t& end, int64_t bytes, double rate) {
    if (bytes > 0) end = reserve(next_free, end, std::llround(static_cast<double>(bytes) * 1e9 / rate));
  };
  for (int64_t done = 0; done < std::max(in_bytes, out_bytes); done += chunk_bytes) {
    take(state_->next_free_ns[0], in_end, std::min(chunk_bytes, in_bytes - done), in_rate_);
    take(state_->next_free_ns[1], out_end, std::min(chunk_bytes, out_bytes - done), out_rate_);
    move_on();
    if (monotonic_ns() < std::max(in_end, out_end)) sleep_until(std::max(in_end, out_end));
  }
  return std::max(in_end, out_end);
}

}  // namespace wansweep
