// Formats a run's schedule, for people and for programs.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {

// Rates of one rank, from which the time that the schedule would take is predicted.
struct ScheduleRates {
  double step_seconds = 0;  // how long a step computes
  double link_bytes_per_second = 0;
};

// Says what the schedule moves, then, on a line for each step, which blocks were on the device already for each pass
// and which were copied for it. `configuration` must have a plan.
std::string schedule_as_text(const PlannedConfiguration& configuration, const std::optional<ScheduleRates>& rates);

// A JSON object {"name", "uses": [[step, expert, forward, block], ...], "schedule", "moved_by_step"}. The schedule has
// the form of schema/schedule.h. moved_by_step holds the bytes moved in each step; its element 0 is before the loop.
std::string schedule_as_json(const PlannedConfiguration& configuration);

}  // namespace wansweep
