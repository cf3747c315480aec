#include "orchestrator/store/plan_of_attempt.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "orchestrator/store/sums/operations.h"
#include "schema/flow_schedule.h"
#include "schema/model_catalog.h"
#include "schema/parallel_plan.h"
#include "schema/run_plan.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

std::optional<int64_t> number_of(const Json& plan, const char* name) {
  const auto found = plan.find(name);
  return found != plan.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

std::optional<int64_t> switch_of(const RunSettings& spec) {
  if (!spec.steps || !spec.flow_shift || !spec.boundary_ratio) return std::nullopt;
  const FlowSchedule sigmas = make_flow_schedule(spec.sigma_schedule, static_cast<int>(*spec.steps), *spec.flow_shift);
  return switch_step(sigmas, *spec.boundary_ratio);
}

// Where ulysses and ring were left open, the model's heads decide; its files may be gone by now.
ParallelPlan parallel_plan_of(const RunSettings& spec) {
  ParallelRequest request;
  request.ranks = static_cast<int>(spec.ranks);
  request.cfg_parallel = spec.cfg_parallel;
  if (spec.ulysses) request.ulysses = static_cast<int>(*spec.ulysses);
  if (spec.ring) request.ring = static_cast<int>(*spec.ring);
  request.tokens = spec.ranks * 1000;  // any number that all ranks get some of
  request.heads = identify_model(spec.model, spec.model_id).config.heads;
  return make_parallel_plan(request);
}

// Whether the setting has a value: one of an imported run may be unknown.
bool is_known(const RunSettings& spec, const char* name) {
  const auto origin = spec.origins.find(name);
  return origin == spec.origins.end() || origin->second.origin != unknown_origin;
}

// Of a trace that has no plan.
void work_out(AttemptPlan& plan, const RunSettings& spec) {
  const bool ranks_known = is_known(spec, "ranks");
  const bool one_rank = ranks_known && spec.ranks == 1;
  if (one_rank || is_known(spec, "cfg_parallel")) plan.cfg = spec.cfg_parallel ? 2 : 1;
  plan.ulysses = spec.ulysses;
  plan.ring = spec.ring;
  const bool spread_known = ranks_known && !one_rank && plan.cfg && is_known(spec, "ulysses") && is_known(spec, "ring");
  if (one_rank) plan.ulysses = plan.ring = 1;
  try {
    if (spread_known) {
      const ParallelPlan parallel = parallel_plan_of(spec);
      plan.ulysses = parallel.ulysses;
      plan.ring = parallel.ring;
    }
  } catch (const Error&) {  // what was asked for stands
  }
  try {
    plan.expected_switch = switch_of(spec);
    plan.catalog_switch = catalog_switch_step(spec);
  } catch (const Error&) {  // settings that make no schedule: there is no switch to expect
  }
}

// By the plan's tokens; else by the settings' sizes, or those of the inputs where they are still there.
void count_operations(AttemptPlan& plan, const RunSettings& spec, const Json& recorded) try {
  if (!spec.steps || !spec.guidance_scale || !plan.cfg || !plan.ulysses || !plan.ring) return;
  const ModelIdentity model = identify_model(spec.model, spec.model_id);
  LoopWork work;
  if (recorded.contains("tokens") && recorded.contains("text_tokens")) {
    work.tokens = recorded["tokens"].get<int64_t>();
    work.text_tokens = recorded["text_tokens"].get<int64_t>();
  } else {
    if (spec.inputs.empty() && (!spec.frames || !spec.size)) return;
    const InputShape input = input_shape_of(spec, model);
    work.tokens = token_count(model.config, input.latents);
    work.text_tokens = input.text_tokens;
  }
  work.steps = *spec.steps;
  work.guided = *spec.guidance_scale > 1;
  work.sequence_ranks = *plan.ulysses * *plan.ring;
  work.one_rank_makes_both = *plan.cfg == 1;
  const Operations operations = operations_of(model.config, work);
  plan.product_flop = operations.products;
  plan.attention_flop = operations.attention;
} catch (const std::exception&) {  // files that are gone or changed: not known
}

}  // namespace

AttemptPlan plan_of_attempt(const RunSettings& spec, const Json& spec_json) {
  AttemptPlan plan;
  plan.work = work_hash(spec);
  const auto recorded = spec_json.find("plan");
  if (recorded == spec_json.end() || !recorded->is_object()) {
    work_out(plan, spec);
    count_operations(plan, spec, Json::object());
    return plan;
  }
  plan.cfg = number_of(*recorded, "cfg").value_or(1);
  plan.ulysses = number_of(*recorded, "ulysses");
  plan.ring = number_of(*recorded, "ring");
  plan.expected_switch = number_of(*recorded, "switch_step");
  plan.catalog_switch = number_of(*recorded, "catalog_switch_step");
  count_operations(plan, spec, *recorded);
  return plan;
}

}  // namespace wansweep
