// What follows from an attempt's settings and is kept with its run: which runs do the same work, how the ranks were
// spread, and at which step the experts should switch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "schema/run_settings.h"
#include "schema/setting_values.h"

namespace wansweep {

// Columns of table run.
struct AttemptPlan {
  std::string work;                // hash of what is computed: equal for runs that only move weights in other ways
  int64_t cfg = 1;                 // groups that split the guidance
  std::optional<int64_t> ulysses;  // nullopt: left open, and the model is not there to decide
  std::optional<int64_t> ring;
  std::optional<int64_t> expected_switch;  // by the settings used; nullopt: none
  std::optional<int64_t> catalog_switch;   // by the catalog's; nullopt: none, or the catalog has no say
};

// Worked out from the settings, for traces that do not hold their plan. Never throws: what cannot be known is nullopt.
AttemptPlan plan_of_attempt(const RunSpec& spec);

// Nothing when the settings name a mode that is not known.
std::optional<OffloadMode> offload_mode_of(const RunSpec& spec);

}  // namespace wansweep
