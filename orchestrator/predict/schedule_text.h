// A run's schedule as people read it, and as programs do.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {

// What a machine does: with it, the time that the schedule would take is predicted. Both are of one rank.
struct ScheduleRates {
  double step_seconds = 0;  // of a step's computing
  double link_bytes_per_second = 0;
};

// What moves, and a line a step: which blocks were there for each pass, and which were brought for it. `configuration`
// must have a plan.
std::string schedule_as_text(const PlannedConfiguration& configuration, const std::optional<ScheduleRates>& rates);

// {"name", "uses": [[step, expert, forward, block], ...], "schedule" as schema/schedule.h has it, "moved_by_step":
// bytes, [0] before the loop}
std::string schedule_as_json(const PlannedConfiguration& configuration);

}  // namespace wansweep
