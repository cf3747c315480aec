#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class ResolveVerbTest : public ProgramTest {};

TEST_F(ResolveVerbTest, ResolveShowsEachOriginAndWhatSglangWouldDo) {
  const std::string model = directory_ / "wan2.2";
  fs::copy(WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v", model, fs::copy_options::recursive);
  fs::create_directories(model + "/scheduler");
  write_text(model + "/scheduler/scheduler_config.json", R"({"flow_shift": 3.0})");
  const Result text = finish(start({"resolve", model}, "ok"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("flow_shift: the model's files say 3, the catalog says 12 (Wan-Video/Wan2.2"),
            std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("93 on 4 GPUs, 93 on 6 GPUs"), std::string::npos) << text.out;

  const Result result = finish(start({"resolve", model, "--json"}, "ok"));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("model_id"), "t2v-a14b");
  EXPECT_EQ(json.at("same_size"), false);
  EXPECT_EQ(json.at("switch_step"), nlohmann::json::parse(R"({"27": 19, "40": 27})"));
  EXPECT_EQ(json.at("disagreements").size(), 1u);
  for (const auto& verdict : json.at("sglang")) {
    EXPECT_EQ(verdict.at("config"), "WanT2V480PConfig");
    EXPECT_EQ(verdict.at("switch_step"), nlohmann::json::parse(R"({"27": 10, "40": 13})"));
    const int frames = verdict.at("resolver") == "sglang-2025-12" ? 93 : 81;
    EXPECT_EQ(verdict.at("frames_on_ranks").at("4"), frames);
    EXPECT_EQ(verdict.at("frames_on_ranks").at("6"), frames);
  }

  ASSERT_EQ(json.at("sglang").size(), 3u);
  ASSERT_EQ(json.at("sglang_releases").size(), 4u);
  EXPECT_EQ(json.at("sglang_releases")[3].at("first"), "0.5.10");
  EXPECT_EQ(json.at("sglang_releases")[3].at("config"), "WanT2V480PConfig");
  EXPECT_NE(text.out.find("0.5.10 to 0.5.23      WanT2V480PConfig           3  10 of 27, 13 of 40  detector: "),
            std::string::npos)
      << text.out;
  const Result named =
      finish(start({"resolve", model, "--json", "--sglang-model-id", "Wan2.2-T2V-A14B-Diffusers"}, "ok"));
  EXPECT_EQ(nlohmann::json::parse(named.out).at("sglang_releases")[3].at("config"), "Wan2_2_T2V_A14B_Config");

  const Result wrong = finish(start({"resolve", model, "--model-id", "ti2v-5b"}, "ok"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("model_id is ti2v-5b, but the files are those of t2v-a14b"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace wansweep
