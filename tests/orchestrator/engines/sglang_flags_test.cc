// What we write for SGLang against the flags of its releases, as tools/engines/sglang_flags.py read them in the wheels
// (sglang_flags.json, with each wheel's digest).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "orchestrator/engines/sglang_command.h"
#include "orchestrator/engines/sglang_versions.h"
#include "schema/run_plan.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

const Json& table() {
  static const Json json = read_json_object(WANSWEEP_SOURCE_DIR "/tests/orchestrator/engines/sglang_flags.json");
  return json;
}

RunPlan plan_of(const std::string& version, OffloadMode offload, int ranks) {
  RunSettings settings;
  settings.engine = EngineKind::sglang;
  settings.engine_version = version;
  settings.model_id = "t2v-a14b";
  settings.weights = "random:1";  // so that no model need be there; check_sglang would refuse it
  settings.backend = BackendKind::cuda;
  settings.size = "832x480";
  settings.frames = 81;
  settings.steps = 27;
  settings.sigma_schedule = SigmaSchedule::sglang;
  settings.offload = offload;
  settings.ranks = ranks;
  settings.cfg_parallel = ranks > 1;
  settings.engine_profile = true;
  settings.precision = Precision::fp32;
  return make_run_plan(settings);
}

TEST(SglangFlags, TheTableHasEveryKnownReleaseWithItsWheelsDigest) {
  std::vector<std::string> in_table;
  for (const auto& [version, entry] : table().items()) {
    in_table.push_back(version);
    EXPECT_EQ(entry.at("sha256").get<std::string>().size(), 64u) << version;
    EXPECT_TRUE(entry.at("wheel").get<std::string>().starts_with("sglang-" + version + "-")) << version;
  }
  std::vector<std::string> known(sglang_versions.begin(), sglang_versions.end());
  std::sort(known.begin(), known.end());
  std::sort(in_table.begin(), in_table.end());
  EXPECT_EQ(in_table, known);
}

TEST(SglangFlags, EveryFlagThatIsWrittenIsInThatReleasesParser) {
  for (const std::string_view release : sglang_versions) {
    const std::string version(release);
    const Json& flags = table().at(version).at("flags");
    for (const OffloadMode offload : {OffloadMode::resident, OffloadMode::swap, OffloadMode::layerwise}) {
      for (const int ranks : {1, 4}) {
        const std::vector<std::string> arguments = sglang_arguments(plan_of(version, offload, ranks), "/out");
        ASSERT_EQ(arguments.front(), "generate");
        for (size_t i = 1; i < arguments.size(); ++i) {
          if (!arguments[i].starts_with("--")) continue;
          ASSERT_TRUE(flags.contains(arguments[i])) << version << " has no " << arguments[i];
          const Json& takes = flags.at(arguments[i]);
          const std::string action = takes.value("action", "");
          const bool has_value = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
          if (action == "store_true") {
            EXPECT_FALSE(has_value) << version << ": " << arguments[i] << " takes no value";
          } else if (action == "StoreBoolean") {
            EXPECT_TRUE(!has_value || arguments[i + 1] == "true" || arguments[i + 1] == "false") << arguments[i];
          } else {
            ASSERT_TRUE(has_value) << version << ": " << arguments[i] << " needs a value";
            if (takes.value("type", "") == "int") {
              EXPECT_EQ(std::to_string(std::stoi(arguments[i + 1])), arguments[i + 1]) << arguments[i];
            }
          }
        }
      }
    }
  }
}

TEST(SglangFlags, WhatIsSetForSynchronisedStepsIsKnownToThatRelease) {
  for (const std::string_view release : sglang_versions) {
    const Json& variables = table().at(std::string(release)).at("variables");
    const bool known = std::ranges::find(variables, Json(sync_steps_variable)) != variables.end();
    EXPECT_EQ(SglangVersion(std::string(release)).syncs_steps(), known) << release;
  }
}

TEST(SglangFlags, TheSpansOfFlagsAreThoseOfTheTable) {
  for (const char* flag : {"--adjust-frames", "--guidance-scale-2", "--dit-layerwise-offload", "--warmup",
                           "--dit-offload-prefetch-size", "--model-id", "--warmup-mode", "--component-residency"}) {
    for (const std::string_view release : sglang_versions) {
      const bool there = table().at(std::string(release)).at("flags").contains(flag);
      EXPECT_EQ(SglangVersion(std::string(release)).has(flag), there) << release << " " << flag;
    }
  }
}

}  // namespace
}  // namespace wansweep
