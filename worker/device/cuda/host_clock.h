// The rank's clock: the same as everywhere in the worker.
#pragma once

#include <time.h>

#include <cstdint>

namespace wansweep {

inline int64_t host_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace wansweep
