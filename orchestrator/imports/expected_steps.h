// What a run's settings say of its steps, to fill in what an engine's files do not tell, and to notice files of a run
// with other settings.
#pragma once

#include <optional>

#include "orchestrator/imports/engine_trace.h"
#include "schema/flow_schedule.h"
#include "schema/run_settings.h"
#include "schema/trace_rows.h"

namespace wansweep {

class ExpectedSteps {
 public:
  explicit ExpectedSteps(const RunSettings& settings);

  // The row of a step, on the mark's clock. Unknown: expert and timestep 0, sigma 0. Throws bad_input when the mark has
  // a timestep or a sigma that the settings do not make.
  StepRow row_of(const StepMark& mark, const std::string& file) const;

 private:
  std::optional<FlowSchedule> schedule_;
  std::optional<double> boundary_;
  std::optional<double> shift_;
};

}  // namespace wansweep
