#include "orchestrator/engines/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "base/files.h"
#include "orchestrator/engines/sglang_command.h"
#include "orchestrator/plan/plan.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr const char* model = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v";

// A run of SGLang's that is as it should be.
RunSettings sglang_settings() {
  RunSettings settings;
  settings.engine = EngineKind::sglang;
  settings.engine_version = "0.5.9";
  settings.model = model;
  settings.backend = BackendKind::cuda;
  settings.size = "128x64";
  settings.frames = 9;
  settings.steps = 27;
  settings.sigma_schedule = SigmaSchedule::sglang;
  settings.offload = OffloadMode::swap;
  return settings;
}

RunSettings diffusers_settings() {
  RunSettings settings = sglang_settings();
  settings.engine = EngineKind::diffusers;
  settings.engine_version = "";
  settings.sigma_schedule = SigmaSchedule::diffusers;
  return settings;
}

using Change = std::function<void(RunSettings&)>;

void expect_refused(RunSettings settings, const std::string& part, const Change& change) {
  change(settings);
  const RunPlan plan = make_run_plan(settings);
  expect_error(ExitCode::bad_input, part, [&] { check_engine(plan); });
}

std::string arguments_of(RunSettings settings, const Change& change) {
  change(settings);
  const RunPlan plan = make_run_plan(settings);
  check_engine(plan);
  return fmt::format("{}", fmt::join(sglang_arguments(plan, "/out/a"), " "));
}

TEST(Engine, WhatSglangCannotDoIsRefusedByTheSettingsName) {
  expect_refused(sglang_settings(), "engine_version is not set; possible values for engine sglang: 0.5.6, ",
                 [](RunSettings& s) { s.engine_version = ""; });
  expect_refused(sglang_settings(), "engine_version is 0.4.9; possible values for engine sglang",
                 [](RunSettings& s) { s.engine_version = "0.4.9"; });
  expect_refused(sglang_settings(), "backend is cpu; engine sglang needs cuda",
                 [](RunSettings& s) { s.backend = BackendKind::cpu; });
  expect_refused(sglang_settings(), "weights is random:1; engine sglang needs files",
                 [](RunSettings& s) { s.weights = "random:1"; });
  expect_refused(sglang_settings(), "sigma_schedule is diffusers; engine sglang needs sigma_schedule sglang",
                 [](RunSettings& s) { s.sigma_schedule = SigmaSchedule::diffusers; });
  expect_refused(sglang_settings(),
                 "offload is layerwise, but SGLang 0.5.6 has no flag --dit-layerwise-offload (0.5.7 to 0.5.23",
                 [](RunSettings& s) {
                   s.engine_version = "0.5.6";
                   s.offload = OffloadMode::layerwise;
                 });
  expect_refused(sglang_settings(),
                 "offload is snapshot, but SGLang 0.5.19 has no snapshot-offload (0.5.20 and later have it)",
                 [](RunSettings& s) {
                   s.engine_version = "0.5.19";
                   s.offload = OffloadMode::snapshot;
                 });
  expect_refused(sglang_settings(), "offload is planned; SGLang has only resident, swap, layerwise and snapshot",
                 [](RunSettings& s) { s.offload = OffloadMode::planned, s.device_budget.gib = 1; });
  expect_refused(sglang_settings(), "prefetch is 2, but SGLang 0.5.8 has no flag --dit-offload-prefetch-size",
                 [](RunSettings& s) {
                   s.engine_version = "0.5.8";
                   s.offload = OffloadMode::layerwise;
                   s.prefetch = 2;
                 });
  expect_refused(sglang_settings(),
                 "guidance_scale_2 is 3 and guidance_scale is 4, but SGLang 0.5.6 has no flag --guidance-scale-2",
                 [](RunSettings& s) { s.engine_version = "0.5.6"; });
  expect_refused(sglang_settings(), "ulysses is 3; engine sglang needs a divisor of the model's 8 heads",
                 [](RunSettings& s) { s.ranks = s.ulysses.emplace(3); });
  expect_refused(sglang_settings(),
                 "keep_steps is true, but SGLang does not follow this setting: leave it out for engine sglang",
                 [](RunSettings& s) { s.keep_steps = true; });
  expect_refused(sglang_settings(), "link_bandwidth is 1.0, but SGLang does not follow this setting",
                 [](RunSettings& s) { s.link_bandwidth = 1; });
}

TEST(Engine, WhatDiffusersCannotDoIsRefusedByTheSettingsName) {
  expect_refused(diffusers_settings(), "sigma_schedule is sglang; engine diffusers needs sigma_schedule diffusers",
                 [](RunSettings& s) { s.sigma_schedule = SigmaSchedule::sglang; });
  expect_refused(diffusers_settings(),
                 "offload is swap, but backend is cpu; engine diffusers moves whole experts only with backend cuda",
                 [](RunSettings& s) { s.backend = BackendKind::cpu; });
  expect_refused(diffusers_settings(),
                 "offload is snapshot; engine diffusers has only resident, swap (enable_model_cpu_offload) and",
                 [](RunSettings& s) { s.offload = OffloadMode::snapshot; });
  expect_refused(diffusers_settings(), "cfg_parallel is true, but diffusers does not follow this setting",
                 [](RunSettings& s) {
                   s.ranks = 2;
                   s.cfg_parallel = true;
                 });
  expect_refused(diffusers_settings(), "prefetch is 2.0, but diffusers does not follow this setting",
                 [](RunSettings& s) { s.prefetch = 2; });
  expect_refused(diffusers_settings(), "ranks is 5; engine diffusers needs a divisor of the 96 tokens",
                 [](RunSettings& s) { s.ranks = 5, s.ulysses = 1, s.ring = 5; });
}

TEST(Engine, TheWorkerDoesNotTakeWhatOnlyOthersFollow) {
  expect_refused(diffusers_settings(), "prompt is a cat, but wansweep-worker does not follow this setting: make",
                 [](RunSettings& s) {
                   s.engine = EngineKind::wansweep;
                   s.prompt = "a cat";
                 });
}

TEST(Engine, EachOffloadModeIsWrittenAsTheReleaseTakesIt) {
  const auto with = [](const std::string& version, OffloadMode offload) {
    return arguments_of(sglang_settings(), [&](RunSettings& s) {
      s.engine_version = version;
      s.offload = offload;
      s.guidance_scale_2 = s.guidance_scale = 4;
    });
  };
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != text.npos; };
  EXPECT_TRUE(has(with("0.5.6", OffloadMode::swap), "--dit-cpu-offload true --pin-cpu-memory"));
  EXPECT_TRUE(has(with("0.5.7", OffloadMode::swap), "--dit-cpu-offload true --dit-layerwise-offload false "));
  EXPECT_TRUE(has(with("0.5.9", OffloadMode::layerwise),
                  "--dit-cpu-offload false --dit-layerwise-offload true --dit-offload-prefetch-size 0 "));
  EXPECT_TRUE(has(with("0.5.9", OffloadMode::resident), "--dit-cpu-offload false --dit-layerwise-offload false "));
  EXPECT_TRUE(has(with("0.5.18", OffloadMode::swap), "--component-residency dit=component-offload "));
  EXPECT_TRUE(has(with("0.5.23", OffloadMode::layerwise), "--component-residency dit=layerwise-offload "));
  EXPECT_TRUE(has(with("0.5.20", OffloadMode::snapshot), "--component-residency dit=snapshot-offload "));
  EXPECT_FALSE(has(with("0.5.18", OffloadMode::swap), "--dit-cpu-offload"));
  EXPECT_FALSE(has(with("0.5.7", OffloadMode::swap), "--warmup"));
  EXPECT_TRUE(has(with("0.5.9", OffloadMode::swap), "--warmup true"));
  EXPECT_TRUE(has(with("0.5.14", OffloadMode::swap), "--warmup-mode request"));
}

TEST(Engine, SettingsAreWrittenOutWhateverTheDefaultIs) {
  const std::string text = arguments_of(sglang_settings(), [](RunSettings& s) {
    s.engine_version = "0.5.10";
    s.ranks = 4;
    s.flow_shift = 3;
    s.seed = 7;
  });
  EXPECT_EQ(text,
            fmt::format("generate --model-path {} --model-id Wan2.2-T2V-A14B-Diffusers --prompt {} --seed 7 --width "
                        "128 --height 64 --num-frames 9 --adjust-frames false --num-inference-steps 27 "
                        "--flow-shift 3 --boundary-ratio 0.875 --guidance-scale 4 --guidance-scale-2 3 --num-gpus 4 "
                        "--ulysses-degree 4 --ring-degree 1 --dit-cpu-offload true --dit-layerwise-offload false "
                        "--pin-cpu-memory true --warmup true --output-path /out/a --perf-dump-path /out/a/perf.json",
                        model, default_prompt));
}

TEST(Engine, WhatSglangDoesInAnotherWayIsANote) {
  RunSettings settings = sglang_settings();
  settings.engine_version = "0.5.7";
  settings.ranks = 4;
  const std::vector<std::string> notes = check_engine(make_run_plan(settings));
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_EQ(
      notes[0],
      "SGLang 0.5.7 gives whole latent frames to ranks: it pads 3 frames to 4 for 4 ranks, and computes the padding");
  EXPECT_NE(notes[1].find("treats " + std::string(model) + " as WanT2V480PConfig (detector: "), std::string::npos);
  EXPECT_EQ(notes[2], "SGLang 0.5.7 has no warm-up: its first step includes all initialisation");
}

TEST(Engine, TheScriptStandsAloneAndQuotesWhatItIsGiven) {
  RunSettings settings = sglang_settings();
  settings.prompt = "it's a cat; $(touch evaluated)";
  settings.origins["model"].written = "tests/reference/tiny-wan2.2-t2v";
  EnginePlaces places;
  places.wansweep = "/opt/wan sweep/wansweep";
  places.setup = {"module load CUDA", "source /scratch/venv/bin/activate"};
  places.container = "apptainer exec --nv sglang.sif";
  const std::string script = engine_script(make_run_plan(settings), "r1-x", "/out dir/r1-x-a1", places);
  for (const char* part :
       {"# One attempt of run r1-x by SGLang 0.5.9, made by wansweep ",
        "module load CUDA\nafter_setup $? 'module load CUDA'\nsource /scratch/venv",
        "\napptainer exec --nv sglang.sif \\\n  sglang generate \\\n  --model-path tests/reference/tiny-wan2.2-t2v "
        "\\\n",
        "--prompt 'it'\\''s a cat; $(touch evaluated)'", "--perf-dump-path '/out dir/r1-x-a1/perf.json' &\n",
        "exec '/opt/wan sweep/wansweep' import --attempt '/out dir/r1-x-a1'\n"}) {
    EXPECT_NE(script.find(part), std::string::npos) << part << "\n" << script;
  }
  EXPECT_NE(script.find(fmt::format("cd '{}/' || exit 2\n", WANSWEEP_SOURCE_DIR)), std::string::npos) << script;
}

// Runs the script of a run of SGLang 0.5.9, with a program in place of SGLang whose Python says it is `release`, and
// returns what the script said. The program writes `ran`.
std::string script_says(const TemporaryDirectory& directory, const std::vector<std::string>& setup,
                        const std::string& release) {
  const auto program = [&](const std::string& name, const std::string& text) {
    std::string file = write_text(directory / name, text);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  };
  const std::string python = program("python", "#!/bin/bash\n[ \"$1\" = -c ] && { echo " + release +
                                                   "; exit; }\ntouch '" + directory / "ran" + "'; exit 3\n");
  EnginePlaces places;
  places.setup = setup;
  places.sglang = program("sglang", "#!" + python + "\n");
  const std::string script = write_text(directory / "command.sh",
                                        engine_script(make_run_plan(sglang_settings()), "r", directory / ".", places));
  const std::string said = directory / "said";
  static_cast<void>(std::system(fmt::format("bash '{}' 2>'{}'; echo \"exit $?\" >>'{}'", script, said, said).c_str()));
  return read_text(said);
}

TEST(Engine, ASetupLineThatFailsEndsTheScriptBeforeTheEngine) {
  const TemporaryDirectory directory;
  const std::string said = script_says(directory, {"true", "source /none/activate"}, "0.5.9");
  EXPECT_NE(said.find("wansweep: engine_setup: exit code 1 after: source /none/activate\nexit 2\n"), said.npos) << said;
  EXPECT_FALSE(std::filesystem::exists(directory / "ran"));
}

TEST(Engine, AnotherReleaseEndsTheScriptBeforeItComputes) {
  const TemporaryDirectory directory;
  const std::string said = script_says(directory, {}, "0.5.12");
  EXPECT_NE(said.find("wansweep: SGLang is 0.5.12 here, but engine_version is 0.5.9: activate that release, or correct "
                      "engine_version\nexit 2\n"),
            said.npos)
      << said;
  EXPECT_FALSE(std::filesystem::exists(directory / "ran"));
}

TEST(Engine, TheScriptWritesDownTheReleaseThatSglangSaysItIs) {
  const TemporaryDirectory directory;
  EXPECT_EQ(script_says(directory, {"true"}, "0.5.9+cu130"), "exit 3\n");
  EXPECT_TRUE(std::filesystem::exists(directory / "ran"));
  EXPECT_NE(read_text(directory / "engine.env").find("\nsglang_release=0.5.9+cu130\n"), std::string::npos);
}

TEST(Engine, TheScriptHasStepsTimedOnTheDeviceAndWritesDownWhatWasSet) {
  RunSettings settings = sglang_settings();
  const std::string script = engine_script(make_run_plan(settings), "r1-x", "/out dir/a", EnginePlaces());
  EXPECT_NE(
      script.find("export SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=\"${SGLANG_DIFFUSION_SYNC_STAGE_PROFILING:-1}\"\n"
                  "printf '%s\\n' \"SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=$SGLANG_DIFFUSION_SYNC_STAGE_PROFILING\" "
                  "> '/out dir/a/engine.env'\n"),
      std::string::npos)
      << script;
  settings.engine_version = "0.5.7";  // does not know the variable
  EXPECT_EQ(engine_script(make_run_plan(settings), "r1-x", "/out", EnginePlaces()).find("SYNC_STAGE"),
            std::string::npos);
  EXPECT_EQ(engine_script(make_run_plan(diffusers_settings()), "r1-x", "/out", EnginePlaces()).find("SYNC_STAGE"),
            std::string::npos);
}

TEST(Engine, ASweepOfTwoEnginesHasEachConfigurationOnceAndUnderItsEnginesName) {
  const std::string text = fmt::format(
      "[sweep]\nname = \"s\"\n[base]\nmodel = \"{}\"\nsize = \"128x64\"\nframes = 9\nbackend = \"cuda\"\n"
      "engine_version = \"0.5.9\"\nengine_profile = true\n[matrix]\nengine = [\"wansweep\", \"diffusers\"]\noffload = "
      "[\"swap\", \"layerwise\"]\n",
      model);
  const Plan plan = make_plan(parse_sweep(text, "s.toml"));
  ASSERT_EQ(plan.configurations.size(), 4u);
  ASSERT_EQ(plan.problems(), 0u) << plan_as_table(plan);
  EXPECT_TRUE(plan.configurations[0].name.starts_with("r1-swap-shift12-")) << plan.configurations[0].name;
  EXPECT_TRUE(plan.configurations[2].name.starts_with("r1-diffusers-swap-shift12-")) << plan.configurations[2].name;
  const RunSettings& own = plan.configurations[0].spec;
  EXPECT_EQ(own.engine_version, "");  // it is SGLang's
  EXPECT_FALSE(own.engine_profile);
  const RunSettings& other = plan.configurations[2].spec;
  EXPECT_EQ(other.engine_version, "");
  EXPECT_TRUE(other.engine_profile);
  EXPECT_EQ(other.origins.at("keep_steps").origin, not_followed_origin);
  EXPECT_NE(work_hash(plan.configurations[0].spec), work_hash(other));
  EXPECT_EQ(work_hash(other), work_hash(plan.configurations[3].spec));
}

TEST(Engine, TheStudysMatrixIsTwentyFourRunsOfSglang) {
  std::string text = read_text(WANSWEEP_SOURCE_DIR "/jobs/sglang-offload.toml");
  const std::string named = "\"models/wan2.2\"";
  ASSERT_NE(text.find(named), std::string::npos);
  text.replace(text.find(named), named.size(), fmt::format("\"{}\"", model));
  const Plan plan = make_plan(parse_sweep(text, "sglang-offload.toml"));
  EXPECT_EQ(plan.runs(), 24u);
  ASSERT_EQ(plan.problems(), 0u) << plan_as_table(plan);
  for (const PlannedConfiguration& c : plan.configurations) {
    const std::string script = engine_script(*c.run, c.name, "/a", default_engine_places());
    const bool misresolved = c.spec.resolver == ResolverKind::sglang_2025_12;
    EXPECT_NE(script.find(misresolved ? "--flow-shift 3 " : "--flow-shift 12 "), std::string::npos) << script;
    EXPECT_NE(script.find(misresolved ? "--num-frames 93 " : "--num-frames 81 "), std::string::npos) << script;
    const bool four = c.spec.ranks == 4;
    EXPECT_NE(
        script.find(four ? "--ulysses-degree 4 \\\n  --ring-degree 1 " : "--ulysses-degree 2 \\\n  --ring-degree 3 "),
        std::string::npos)
        << script;
  }
}

TEST(Engine, TheDefaultsOfNewSettingsLeaveHashesAsTheyWere) {
  RunSettings settings;
  settings.model_id = "t2v-a14b";
  const std::string before = settings_hash(settings);
  settings.engine = EngineKind::diffusers;
  EXPECT_NE(settings_hash(settings), before);
  settings.engine = EngineKind::wansweep;
  EXPECT_EQ(settings_hash(settings), before);
}

}  // namespace
}  // namespace wansweep
