#include "base/clock.h"

#include <time.h>

#include <chrono>
#include <ctime>

#include <fmt/format.h>

namespace wansweep {

namespace {

int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t monotonic_ns() { return nanoseconds(CLOCK_MONOTONIC); }

int64_t thread_processor_ns() { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

int64_t seconds_now() { return static_cast<int64_t>(std::time(nullptr)); }

std::string timestamp_now() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, now.time_since_epoch().count() % 1000);
}

}  // namespace wansweep
