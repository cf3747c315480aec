// The progress of a running attempt, from the trace that it is writing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wansweep {

struct StepsDone {
  int64_t steps = 0;
  double seconds_a_step = 0;  // median of the finished steps
};

// Reads the trace of rank 0. nullopt while no step has ended, or while the trace cannot be read.
std::optional<StepsDone> steps_done(const std::string& attempt_directory);

}  // namespace wansweep
