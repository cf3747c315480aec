// The times that wansweep uses: two to measure with, one to compare between hosts, one for people.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

// Nanoseconds of this host's monotonic clock (CLOCK_MONOTONIC): never set back, the same in every process of the host.
int64_t monotonic_ns();

// Nanoseconds for which the calling thread has had a processor.
int64_t thread_processor_ns();

// Seconds of the epoch. Clocks of a cluster's nodes may differ by seconds.
int64_t seconds_now();

// Now, in UTC, as 2026-11-24T02:10:00.123Z.
std::string timestamp_now();

}  // namespace wansweep
