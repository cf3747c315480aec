#include "orchestrator/store/plan_of_attempt.h"

#include <cstdlib>

#include "base/error.h"
#include "schema/flow_schedule.h"
#include "schema/model_catalog.h"
#include "schema/parallel_plan.h"
#include "schema/setting_values.h"

namespace wansweep {
namespace {

std::optional<double> catalog_number(const RunSpec& spec, const char* name) {
  const auto found = spec.origins.find(name);
  if (found == spec.origins.end() || found->second.catalog.empty()) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(found->second.catalog.c_str(), &end);
  return *end == '\0' ? std::optional(number) : std::nullopt;
}

std::optional<int64_t> switch_of(const RunSpec& spec, std::optional<double> shift, std::optional<double> boundary) {
  if (!spec.steps || !shift || !boundary) return std::nullopt;
  try {
    const FlowSchedule schedule =
        make_flow_schedule(parse_sigma_schedule(spec.sigma_schedule), static_cast<int>(*spec.steps), *shift);
    const auto step = switch_step(schedule, *boundary);
    return step ? std::optional<int64_t>(*step) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Where ulysses and ring were left open, the model's heads decide; its files may be gone by now.
std::optional<ParallelPlan> parallel_plan_of(const RunSpec& spec) {
  try {
    ParallelRequest request;
    request.ranks = static_cast<int>(spec.ranks);
    request.cfg_parallel = spec.cfg_parallel;
    if (spec.ulysses) request.ulysses = static_cast<int>(*spec.ulysses);
    if (spec.ring) request.ring = static_cast<int>(*spec.ring);
    request.tokens = spec.ranks * 1000;  // any number that all ranks get some of
    request.heads = identify_model(spec.model, spec.model_id).config.heads;
    return make_parallel_plan(request);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string work_of(RunSpec spec) {
  const RunSpec plain;
  spec.offload = plain.offload;
  spec.prefetch = plain.prefetch;
  spec.host_memory = plain.host_memory;
  spec.device_memory = plain.device_memory;
  return spec_hash(spec);
}

}  // namespace

AttemptPlan plan_of_attempt(const RunSpec& spec) {
  AttemptPlan plan;
  plan.work = work_of(spec);
  plan.cfg = spec.cfg_parallel ? 2 : 1;
  plan.ulysses = spec.ulysses;
  plan.ring = spec.ring;
  if (const std::optional<ParallelPlan> made = parallel_plan_of(spec)) {
    plan.ulysses = made->ulysses;
    plan.ring = made->ring;
  }
  plan.expected_switch = switch_of(spec, spec.flow_shift, spec.boundary_ratio);
  const auto shift = catalog_number(spec, "flow_shift");
  const auto boundary = catalog_number(spec, "boundary_ratio");
  if (shift || boundary) {
    plan.catalog_switch = switch_of(spec, shift ? shift : spec.flow_shift, boundary ? boundary : spec.boundary_ratio);
  }
  return plan;
}

std::optional<OffloadMode> offload_mode_of(const RunSpec& spec) { return value_named<OffloadMode>(spec.offload); }

}  // namespace wansweep
