#include "orchestrator/imports/expected_steps.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace wansweep {
namespace {

constexpr double most_timestep_apart = 1.5;  // engines truncate timesteps in some places and round them in others
constexpr int timesteps = 1000;

}  // namespace

ExpectedSteps::ExpectedSteps(const RunSettings& settings)
    : boundary_(settings.boundary_ratio), shift_(settings.flow_shift) {
  if (!settings.steps || !settings.flow_shift) return;
  const auto origin = settings.origins.find("flow_shift");
  if (origin != settings.origins.end() && origin->second.origin.starts_with("sglang-")) {
    shift_hint_ = fmt::format("; this flow_shift is that of {}: give --set flow_shift if a flag set another",
                              origin->second.origin);
  }
  schedule_ = make_flow_schedule(settings.sigma_schedule, static_cast<int>(*settings.steps), *settings.flow_shift);
}

StepRow ExpectedSteps::row_of(const StepMark& mark, const std::string& file) const {
  StepRow row;
  row.step = mark.step;
  row.start_ns = mark.start_ns;
  row.end_ns = mark.end_ns;
  const auto at = static_cast<size_t>(mark.step - 1);
  const bool expected = schedule_ && at < schedule_->timesteps.size();
  std::optional<double> told = mark.timestep;
  if (!told && mark.sigma) told = *mark.sigma * timesteps;
  if (expected && told && std::abs(*told - schedule_->timesteps[at]) > most_timestep_apart) {
    throw bad_input(
        fmt::format("{}: step {} has timestep {:g}, but flow_shift {:g} and {} steps give {}: the run had "
                    "other settings, or the file belongs to another run{}",
                    file, mark.step, std::floor(*told), *shift_, schedule_->timesteps.size(), schedule_->timesteps[at],
                    shift_hint_));
  }
  if (told) {
    row.timestep = static_cast<int32_t>(*told);
    row.sigma = static_cast<float>(mark.sigma.value_or(*told / timesteps));
  } else if (expected) {
    row.timestep = schedule_->timesteps[at];
    row.sigma = schedule_->sigmas[at];
  }
  const bool known = told || expected;
  if (mark.expert) {
    row.expert = *mark.expert == 2 ? 2 : 1;
  } else if (known && boundary_) {
    row.expert = row.timestep < *boundary_ * timesteps ? 2 : 1;
  }
  return row;
}

}  // namespace wansweep
