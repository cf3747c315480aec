#include "orchestrator/engines/concluded_switch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "orchestrator/engines/followed_settings.h"
#include "schema/flow_schedule.h"

namespace wansweep {
namespace {

constexpr double several_medians = 3;

// Whether the mode moves a whole expert in the switch step.
bool moves_an_expert_at_once(OffloadMode offload) {
  switch (offload) {
    case OffloadMode::swap:
    case OffloadMode::snapshot:
      return true;
    case OffloadMode::resident:
    case OffloadMode::layerwise:
    case OffloadMode::planned:
      return false;
  }
  return false;
}

std::optional<int> switch_with(const RunSettings& settings, double flow_shift) {
  const FlowSchedule schedule =
      make_flow_schedule(settings.sigma_schedule, static_cast<int>(*settings.steps), flow_shift);
  return switch_step(schedule, *settings.boundary_ratio);
}

// ns by step: of the rank that took longest.
std::map<int, int64_t> times_of(const std::vector<TraceRows*>& ranks) {
  std::map<int, int64_t> times;
  for (const TraceRows* rank : ranks) {
    for (const StepRow& row : rank->steps) {
      times[row.step] = std::max(times[row.step], row.end_ns - row.start_ns);
    }
  }
  return times;
}

double median_of(const std::map<int, int64_t>& times) {
  std::vector<int64_t> sorted;
  sorted.reserve(times.size());
  for (const auto& [step, ns] : times) sorted.push_back(ns);
  std::sort(sorted.begin(), sorted.end());
  return static_cast<double>(sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

// "flow_shift 12 would put it at step 5; tell it with --set flow_shift=12"
std::string advice(const RunSettings& settings, const std::string& official, int step) {
  const double shift = official.empty() ? 0 : std::stod(official);
  if (shift > 0 && switch_with(settings, shift) == step) {
    return fmt::format("flow_shift {0} would put it at step {1}; tell it with --set flow_shift={0}", official, step);
  }
  return "tell what the run had with --set flow_shift=NUMBER";
}

void forget_flow_shift(RunSettings& settings, const std::vector<TraceRows*>& ranks) {
  settings.flow_shift.reset();
  settings.origins["flow_shift"] = {unknown_origin, "", ""};
  for (TraceRows* rank : ranks) {
    for (StepRow& row : rank->steps) {
      row.expert = 0;
      row.timestep = 0;
      row.sigma = 0;
    }
  }
}

}  // namespace

std::optional<std::string> doubt_concluded_switch(RunSettings& settings, const std::vector<TraceRows*>& ranks) {
  const auto origin = settings.origins.find("flow_shift");
  const bool concluded = origin != settings.origins.end() && origin->second.origin.starts_with("sglang-");
  if (!concluded || !moves_an_expert_at_once(settings.offload)) return std::nullopt;
  if (!settings.steps || !settings.flow_shift || !settings.boundary_ratio) return std::nullopt;
  const std::optional<int> expected = switch_with(settings, *settings.flow_shift);
  const std::map<int, int64_t> times = times_of(ranks);
  if (!expected || !times.contains(*expected)) return std::nullopt;
  const double least = several_medians * median_of(times);
  const auto is_long = [&](int64_t ns) { return static_cast<double>(ns) > least; };
  std::vector<int> long_steps;
  for (const auto& [step, ns] : times) {
    if (step > 1 && is_long(ns)) long_steps.push_back(step);
  }
  if (long_steps.size() != 1 || long_steps[0] == *expected) return std::nullopt;
  const int step = long_steps[0];
  std::string line = fmt::format(
      "step {} took {:.1f} s, but flow_shift {:g}, which wansweep concluded, puts the switch at step {}; {}; until "
      "then the switch step and what it cost are unknown",
      step, static_cast<double>(times.at(step)) / 1e9, *settings.flow_shift, *expected,
      advice(settings, origin->second.catalog, step));
  forget_flow_shift(settings, ranks);
  return line;
}

}  // namespace wansweep
