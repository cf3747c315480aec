// How far a running attempt is, by the trace that it writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wansweep {

struct StepsDone {
  int64_t steps = 0;
  double seconds_a_step = 0;  // the median of those that are done
};

// By the trace of rank 0. Nothing while no step has ended, or while the trace cannot be read.
std::optional<StepsDone> steps_done(const std::string& attempt_directory);

}  // namespace wansweep
