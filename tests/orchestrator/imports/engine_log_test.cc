#include "orchestrator/imports/engine_log.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

// The members that are read, as those releases name them.
constexpr const char* of_0_5_6 =
    R"([11-27 03:00:00] server_args: {"model_path": "./models/wan2.2", "num_gpus": 4, "ulysses_degree": 2, )"
    R"("ring_degree": 2, "enable_cfg_parallel": false, "dit_cpu_offload": true, "use_fsdp_inference": false, )"
    R"("pin_cpu_memory": true, "boundary_ratio": null})"
    "\n";
constexpr const char* of_0_5_9 =
    R"([11-27 03:00:00] server_args: {"model_path": "./models/wan2.2", "num_gpus": 4, "ulysses_degree": 2, )"
    R"("ring_degree": 1, "enable_cfg_parallel": true, "dit_cpu_offload": false, "dit_layerwise_offload": true, )"
    R"("dit_offload_prefetch_size": 2.0, "use_fsdp_inference": false, "pin_cpu_memory": false})"
    "\n";

class EngineLogTest : public testing::Test {
 protected:
  EngineTrace read(const std::string& text) { return read_engine_log(write_text(directory_ / "run.log", text)); }
  std::string setting(const std::string& text, const std::string& name) {
    const EngineTrace trace = read(text);
    const auto found = trace.settings.find(name);
    return found == trace.settings.end() ? "unknown" : found->second;
  }
  static std::string line(const std::string& members) { return "[11-27 03:00:00] server_args: {" + members + "}\n"; }
  TemporaryDirectory directory_;
};

TEST_F(EngineLogTest, TimesOfStagesStandInTheEnvironment) {
  const EngineTrace trace = read(
      "[11-26 16:00:01] [DenoisingStage] started...\n"
      "[DenoisingStage] average time per step: 3.4553 seconds\n"
      "[DenoisingStage] finished in 94.2283 seconds\n");
  EXPECT_EQ(trace.environment.at("log.average_step_s"), "3.4553");
  EXPECT_EQ(trace.environment.at("log.stage_s.DenoisingStage"), "94.2283");
  expect_error(ExitCode::bad_input, "holds no line of SGLang about the time of a stage or a step",
               [&] { read("nothing\n"); });
}

// real/sglang-arguments: the lines that the releases' own code printed.
TEST_F(EngineLogTest, TheLineOfEachReleaseTellsTheSameOfOneCommand) {
  for (const auto& [release, offload] : {std::pair{"0.5.6", "swap"},
                                         {"0.5.9", "layerwise"},
                                         {"0.5.12", "layerwise"},
                                         {"0.5.16", "swap"},
                                         {"0.5.20", "swap"}}) {
    const EngineTrace trace = read_engine_log(
        std::string(WANSWEEP_SOURCE_DIR "/tests/orchestrator/imports/real/sglang-arguments/") + release + ".log");
    EXPECT_EQ(trace.settings.at("offload"), offload) << release;
    EXPECT_EQ(trace.settings.at("ulysses"), "2") << release;
    EXPECT_EQ(trace.settings.at("ring"), "1") << release;
    EXPECT_EQ(trace.settings.at("cfg_parallel"), "true") << release;
    EXPECT_EQ(trace.settings.at("host_memory"), "pinned") << release;
    EXPECT_EQ(trace.settings.at("model"), "/tmp/sgl/tiny/Wan2.2-T2V-A14B-Diffusers") << release;
    EXPECT_EQ(trace.ranks, 4) << release;
    EXPECT_FALSE(trace.settings.contains("boundary_ratio")) << release;
  }
}

TEST_F(EngineLogTest, The056ArgumentsTellASwap) {
  const EngineTrace trace = read(of_0_5_6);
  EXPECT_EQ(trace.settings.at("model"), "./models/wan2.2");
  EXPECT_EQ(trace.settings.at("offload"), "swap");
  EXPECT_EQ(trace.settings.at("ulysses"), "2");
  EXPECT_EQ(trace.settings.at("ring"), "2");
  EXPECT_EQ(trace.settings.at("host_memory"), "pinned");
  EXPECT_EQ(trace.ranks, 4);
  EXPECT_FALSE(trace.settings.contains("prefetch"));
  EXPECT_FALSE(trace.settings.contains("boundary_ratio"));
}

TEST_F(EngineLogTest, The059ArgumentsTellLayerwiseAndItsPrefetch) {
  const EngineTrace trace = read(of_0_5_9);
  EXPECT_EQ(trace.settings.at("offload"), "layerwise");
  EXPECT_EQ(trace.settings.at("prefetch"), "2");
  EXPECT_EQ(trace.settings.at("cfg_parallel"), "true");
  EXPECT_EQ(trace.settings.at("host_memory"), "pageable");
}

TEST_F(EngineLogTest, ResidencyGoesBeforeTheSwitches) {
  const std::string switches = R"(, "dit_cpu_offload": false, "dit_layerwise_offload": false)";
  EXPECT_EQ(setting(line(R"("component_residency": {"dit": "component-offload"})" + switches), "offload"), "swap");
  EXPECT_EQ(setting(line(R"("component_residency": {"dit": "snapshot-offload"})" + switches), "offload"), "snapshot");
  EXPECT_EQ(setting(line(R"("component_residency": {"dit": "resident"})" + switches), "offload"), "resident");
}

TEST_F(EngineLogTest, OffloadThatSglangDecidesLaterIsUnknown) {
  const std::string ranks = R"("num_gpus": 1, "ulysses_degree": 1, )";
  // 0.5.18 and later with nothing set
  EXPECT_EQ(setting(line(ranks + R"("component_residency": null, "dit_cpu_offload": false)"), "offload"), "unknown");
  EXPECT_EQ(setting(line(ranks + R"("component_residency": {"vae": "resident"})"), "offload"), "unknown");
  EXPECT_EQ(setting(line(ranks + R"("dit_cpu_offload": null, "dit_layerwise_offload": null)"), "offload"), "unknown");
  EXPECT_EQ(setting(line(ranks + R"("dit_cpu_offload": true, "use_fsdp_inference": true)"), "offload"), "unknown");
  EXPECT_EQ(setting(line(ranks + R"("dit_cpu_offload": false, "layerwise_offload_components": ["dit"])"), "offload"),
            "unknown");
  // before 0.5.18 both switches off leave the experts on the device
  EXPECT_EQ(setting(line(ranks + R"("dit_cpu_offload": false, "dit_layerwise_offload": false)"), "offload"),
            "resident");
}

TEST_F(EngineLogTest, ArgumentsThatAreNoJsonAreReadAsPythonPrintsThem) {
  const EngineTrace trace = read(
      "[11-27 03:00:00] server_args: ServerArgs(model_path='./models/wan2.2', num_gpus=2, ulysses_degree=2, "
      "ring_degree=None, enable_cfg_parallel=False, component_residency={'dit': 'layerwise-offload'}, "
      "dit_offload_prefetch_size=0.5, pin_cpu_memory=True)\n");
  EXPECT_EQ(trace.settings.at("model"), "./models/wan2.2");
  EXPECT_EQ(trace.settings.at("offload"), "layerwise");
  EXPECT_EQ(trace.settings.at("prefetch"), "0.5");
  EXPECT_EQ(trace.settings.at("ulysses"), "2");
  EXPECT_FALSE(trace.settings.contains("ring"));
  EXPECT_EQ(trace.ranks, 2);
  EXPECT_EQ(setting("server_args: ServerArgs(num_gpus=1, ring_degree=1, cpu_offload_components=['dit', 'vae'], "
                    "dit_cpu_offload=False)\n",
                    "offload"),
            "unknown");
}

TEST_F(EngineLogTest, ARequestTellsWhatItComputes) {
  const std::string request =
      "[11-27 03:00:00] Sampling params:\n"
      "                       width: 832\n"
      "                      height: 480\n"
      "                  num_frames: 81\n"
      "                      prompt: a cat\n"
      "   seed: of the prompt\n"
      "                        seed: 42\n"
      "                 infer_steps: 27\n"
      "              guidance_scale: 4.0\n"
      "                    n_tokens: None\n"
      "                  flow_shift: None\n"
      "            output_file_path: out/seed: 7.mp4\n"
      "                        seed: 9\n";
  const EngineTrace trace = read(request);
  EXPECT_EQ(trace.settings.at("size"), "832x480");
  EXPECT_EQ(trace.settings.at("frames"), "81");
  EXPECT_EQ(trace.settings.at("steps"), "27");
  EXPECT_EQ(trace.settings.at("guidance_scale"), "4.0");
  EXPECT_FALSE(trace.settings.contains("flow_shift"));
  EXPECT_FALSE(trace.settings.contains("guidance_scale_2"));
}

TEST_F(EngineLogTest, WhatTwoRequestsHadDifferentlyIsNotTold) {
  const auto request = [](const std::string& steps) {
    return "[03:00:00] Sampling params:\n   num_frames: 81\n   infer_steps: " + steps +
           "\n   output_file_path: a.mp4\n";
  };
  const EngineTrace trace = read(request("27") + request("40"));
  EXPECT_EQ(trace.settings.at("frames"), "81");
  EXPECT_FALSE(trace.settings.contains("steps"));
  ASSERT_EQ(trace.notes.size(), 1U);
  EXPECT_NE(trace.notes[0].find("tells different values of steps, which are therefore not taken"), std::string::npos);
}

TEST_F(EngineLogTest, ALineOfAMegabyteIsReadLikeAnother) {
  const std::string longer(1 << 20, 'x');
  const std::string line = "server_args: ServerArgs(model_path='" + longer + "', num_gpus=2, ring_degree=1)\n";
  EXPECT_EQ(read(line + longer + "\n").ranks, 2);
  EXPECT_EQ(setting("server_args: ServerArgs(ring_degree=1, model_path='" + longer, "ring"), "1");
}

TEST_F(EngineLogTest, ALineThatIsCutTellsNothing) {
  const EngineTrace trace = read(
      "[11-27 03:00:00] server_args: {\"model_path\": \"./models/wan2.2\", \"num_gpus\": 4, \"dit_cpu\n"
      "[DenoisingStage] finished in 94.2283 seconds\n");
  EXPECT_TRUE(trace.settings.empty());
  EXPECT_FALSE(trace.ranks);
}

}  // namespace
}  // namespace wansweep
