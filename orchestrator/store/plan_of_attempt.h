// The facts about a run that follow from its settings and are stored with it: which runs do the same work, how the
// ranks are spread, and at which step the experts switch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "schema/run_settings.h"

namespace wansweep {

// Columns of table run. Operations are counted over all steps and ranks (orchestrator/store/sums/operations.h).
struct AttemptPlan {
  std::string work;                // hash of the computation: equal for runs that only move weights differently
  std::optional<int64_t> cfg;      // groups that split the guidance; nullopt: an imported run does not tell
  std::optional<int64_t> ulysses;  // nullopt likewise, and when it was left open and the model's files are missing
  std::optional<int64_t> ring;
  std::optional<int64_t> expected_switch;  // by the settings used; nullopt when there is no switch
  std::optional<int64_t>
      catalog_switch;                  // by the catalog's settings; nullopt when there is no switch or no catalog value
  std::optional<double> product_flop;  // of matrix products; nullopt when the model or its inputs are missing
  std::optional<double> attention_flop;  // of attention
};

// Reads the facts from the trace or spec.json: `spec_json` is the object that `spec` was read from, and its "plan" is
// the worker's plan (schema/run_plan.h). Older traces have no plan: then the facts are computed from the settings, and
// unknown ones are nullopt. Does not throw.
AttemptPlan plan_of_attempt(const RunSettings& spec, const nlohmann::json& spec_json);

}  // namespace wansweep
