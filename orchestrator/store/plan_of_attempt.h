// What an attempt was, beyond its settings, and is kept with its run: which runs do the same work, how the ranks were
// spread, and at which step the experts switch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "schema/run_settings.h"

namespace wansweep {

// Columns of table run. Operations are of all steps and ranks (orchestrator/store/sums/operations.h).
struct AttemptPlan {
  std::string work;                // hash of what is computed: equal for runs that only move weights differently
  int64_t cfg = 1;                 // groups that split the guidance
  std::optional<int64_t> ulysses;  // nullopt: left open, and the model is not there to decide
  std::optional<int64_t> ring;
  std::optional<int64_t> expected_switch;  // by the settings used; nullopt: none
  std::optional<int64_t> catalog_switch;   // by the catalog's; nullopt: none, or the catalog has no say
  std::optional<double> product_flop;      // of matrix products; nullopt: the model or its inputs are not there
  std::optional<double> attention_flop;    // of attention
};

// As the trace (or spec.json) tells it: `spec_json` is the object that `spec` was read from, and its "plan" is what the
// worker went by (schema/run_plan.h). Traces of before have none: of them it is worked out from the settings, where
// what cannot be known is nullopt. Never throws.
AttemptPlan plan_of_attempt(const RunSettings& spec, const nlohmann::json& spec_json);

}  // namespace wansweep
