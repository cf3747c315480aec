#include "orchestrator/imports/imported_settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "schema/setting_fields.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

using Given = std::vector<std::pair<const char*, nlohmann::json>>;

constexpr const char* tiny_model = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v";  // in A14B's layout

RunSettings told(const Given& given) {
  RunSettings settings;
  set_field(settings, "engine", "sglang", "test");
  set_field(settings, "offload", "swap", "test");
  for (const auto& [name, value] : given) set_field(settings, name, value, "test");
  return settings;
}

// A perf dump of 27 steps.
EngineTrace dump_of(std::map<std::string, std::string> settings = {}) {
  EngineTrace file;
  file.file = "perf.json";
  file.rank = 0;
  file.settings = std::move(settings);
  for (int step = 1; step <= 27; ++step) file.steps.emplace_back().step = step;
  return file;
}

RunSettings imported(const Given& given, const EngineTrace& file = dump_of(),
                     std::vector<std::string>* notes = nullptr) {
  std::vector<std::string> ignored;
  return imported_settings(told(given), {file}, notes != nullptr ? *notes : ignored);
}

std::string origin(const RunSettings& settings, const std::string& name) { return settings.origins.at(name).origin; }

bool says(const std::vector<std::string>& notes, const std::string& part) {
  return std::ranges::any_of(notes, [&](const std::string& note) { return note.find(part) != note.npos; });
}

TEST(ImportedSettings, TheEngineIsThatWhichWritesSuchFiles) {
  RunSettings without;
  set_field(without, "offload", "swap", "test");
  std::vector<std::string> notes;
  const RunSettings settings = imported_settings(without, {dump_of()}, notes);
  EXPECT_EQ(settings.engine, EngineKind::sglang);
  EXPECT_EQ(origin(settings, "engine"), "file");
  expect_error(ExitCode::bad_input, "engine is diffusers, but perf.json is a perf dump of SGLang", [] {
    imported({{"engine", "diffusers"}});
  });
}

TEST(ImportedSettings, ALocalPathThatSglangTookForWan21IsDrift) {
  std::vector<std::string> notes;
  const RunSettings settings = imported({{"engine_version", "0.5.9"}, {"model", tiny_model}}, dump_of(), &notes);
  EXPECT_EQ(settings.flow_shift, 3);
  EXPECT_EQ(origin(settings, "flow_shift"), "sglang-0.5.9");
  EXPECT_EQ(settings.origins.at("flow_shift").catalog, "12");
  EXPECT_EQ(settings.boundary_ratio, 0.875);
  EXPECT_EQ(settings.model_id, "t2v-a14b");
  EXPECT_TRUE(
      says(notes, "flow_shift is 3 (sglang-0.5.9), but the catalog says 12: the experts switch at step 10, not 19"));
  EXPECT_TRUE(says(notes, "for WanT2V480PConfig (detector: "));
  EXPECT_TRUE(says(notes, "if a flag gave another value, say so: --set NAME=VALUE"));
}

TEST(ImportedSettings, APathThatIsNotHereIsResolvedByTheDumpAndTheDeclaredId) {
  const EngineTrace file = dump_of({{"model", "./models/wan2.2"}, {"engine_version", "0.5.9"}});
  const RunSettings settings = imported({{"model_id", "t2v-a14b"}}, file);
  EXPECT_EQ(settings.model, "./models/wan2.2");
  EXPECT_EQ(settings.engine_version, "0.5.9");
  EXPECT_EQ(settings.flow_shift, 3);
  EXPECT_EQ(settings.boundary_ratio, 0.875);
  EXPECT_EQ(settings.origins.at("flow_shift").catalog, "12");
}

TEST(ImportedSettings, ANameOfTheHubTellsTheModel) {
  const RunSettings settings =
      imported({{"engine_version", "0.5.9"}, {"model", "Wan-AI/Wan2.2-T2V-A14B-Diffusers"}, {"flow_shift", 5}});
  EXPECT_EQ(settings.model_id, "t2v-a14b");
  EXPECT_EQ(settings.flow_shift, 5);
  EXPECT_EQ(settings.origins.at("flow_shift").catalog, "12");
  EXPECT_EQ(origin(settings, "guidance_scale"), "sglang-0.5.9");
  expect_error(ExitCode::bad_input, "model_id is i2v-a14b, but model is Wan-AI/Wan2.2-T2V-A14B-Diffusers, which is",
               [] {
                 imported({{"model", "Wan-AI/Wan2.2-T2V-A14B-Diffusers"}, {"model_id", "i2v-a14b"}});
               });
}

TEST(ImportedSettings, WithoutAReleaseOrAModelNothingIsConcluded) {
  for (const Given& given : {Given{}, Given{{"model", tiny_model}}, Given{{"engine_version", "0.5.9"}},
                             Given{{"model_id", "t2v-a14b"}, {"engine_version", "0.5.9"}}}) {
    const RunSettings settings = imported(given);
    EXPECT_FALSE(settings.flow_shift);
    EXPECT_EQ(origin(settings, "flow_shift"), unknown_origin);
    EXPECT_EQ(settings.origins.at("flow_shift").catalog, settings.model_id.empty() ? "" : "12");
  }
  std::vector<std::string> notes;
  const RunSettings settings =
      imported({{"engine_version", "0.5.9"}, {"model", "/gone/models/wan2.2"}}, dump_of(), &notes);
  EXPECT_FALSE(settings.flow_shift);
  EXPECT_TRUE(says(notes, "SGLang 0.5.9 has no configuration for model /gone/models/wan2.2"));
  EXPECT_TRUE(says(notes, "--set model_id says which model it is"));
}

TEST(ImportedSettings, AnExplicitResolverGoesBeforeTheRelease) {
  const RunSettings settings = imported({{"engine_version", "0.5.9"}, {"model", tiny_model}, {"resolver", "files"}});
  EXPECT_EQ(settings.flow_shift, 12);
  EXPECT_EQ(origin(settings, "flow_shift"), "catalog");
}

TEST(ImportedSettings, HowMuchWasComputedIsNeverConcluded) {
  const RunSettings settings = imported({{"engine_version", "0.5.9"}, {"model", tiny_model}});
  EXPECT_EQ(origin(settings, "size"), unknown_origin);
  EXPECT_EQ(origin(settings, "frames"), unknown_origin);
  EXPECT_EQ(settings.steps, 27);
  EXPECT_EQ(origin(settings, "steps"), "file");
}

TEST(ImportedSettings, TheNumberOfRanksIsUnknownWhereNoFileTellsIt) {
  std::vector<std::string> notes;
  EXPECT_EQ(origin(imported({}, dump_of(), &notes), "ranks"), unknown_origin);
  EXPECT_TRUE(says(notes, "no file tells the number of ranks, so it stays unknown; --set ranks=N tells it"));
  EngineTrace third = dump_of();
  third.rank = 2;
  EXPECT_EQ(ranks_told({dump_of(), third}), 3);
  third.ranks = 4;
  EXPECT_EQ(ranks_told({dump_of(), third}), 4);
  EXPECT_EQ(ranks_told({dump_of()}), std::nullopt);
  EXPECT_EQ(imported({}, third).ranks, 4);
}

TEST(ImportedSettings, UserAndFileMayNotContradictEachOther) {
  expect_error(ExitCode::bad_input,
               "engine_version is \"0.5.8\", but perf.json says \"0.5.9\": the run had other settings", [] {
                 imported({{"engine_version", "0.5.8"}}, dump_of({{"engine_version", "0.5.9"}}));
               });
  expect_error(ExitCode::bad_input,
               "model is /a/wan, but perf.json says ./models/wan2.2, and the engine went by that path", [] {
                 imported({{"model", "/a/wan"}}, dump_of({{"model", "./models/wan2.2"}}));
               });
  EngineTrace log = dump_of({{"model", "/b/wan"}});
  log.file = "run.log";
  log.kind = EngineFileKind::engine_log;
  std::vector<std::string> notes;
  expect_error(ExitCode::bad_input,
               "run.log: says model /b/wan, but another of the files says ./models/wan2.2: they are of different runs",
               [&] {
                 imported_settings(told({}), {dump_of({{"model", "./models/wan2.2"}}), log}, notes);
               });
  EXPECT_EQ(imported({{"model", "models/wan2.2"}}, dump_of({{"model", "./models/wan2.2/"}})).model, "./models/wan2.2/");
  RunSettings planned = told({{"engine_version", "0.5.8"}});
  expect_error(ExitCode::bad_input, "engine_version is 0.5.8, but perf.json was written by 0.5.9", [&] {
    refuse_other_version({dump_of({{"engine_version", "0.5.9"}})}, planned);
  });
}

}  // namespace
}  // namespace wansweep
