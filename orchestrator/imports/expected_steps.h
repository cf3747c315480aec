// The steps that follow from a run's settings: they fill in what an engine's files do not tell, and expose files of a
// run with other settings.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "schema/flow_schedule.h"
#include "schema/run_settings.h"
#include "schema/trace_rows.h"

namespace wansweep {

class ExpectedSteps {
 public:
  explicit ExpectedSteps(const RunSettings& settings);

  // The row of a step, on the mark's clock. Expert, timestep and sigma are 0 when unknown. Throws bad_input when the
  // mark's timestep or sigma contradicts the settings.
  StepRow row_of(const StepMark& mark, const std::string& file) const;

 private:
  std::optional<FlowSchedule> schedule_;
  std::optional<double> boundary_;
  std::optional<double> shift_;
  std::string shift_hint_;  // for an error, where nobody told flow_shift
};

}  // namespace wansweep
