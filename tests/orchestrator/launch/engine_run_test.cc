// `wansweep run` of a sweep whose engine is SGLang. A script stands in for SGLang and leaves the files that SGLang
// leaves.

#include "base/shell_quote.h"
#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class EngineRunTest : public ProgramTest {
 protected:
  EngineRunTest() {
    write_text(sweep_,
               fmt::format("[sweep]\nname = \"s\"\nrepeats = 2\n[base]\nengine = \"sglang\"\nengine_version = "
                           "\"0.5.9\"\nmodel = \"{}/tests/reference/tiny-wan2.2-t2v\"\nsize = \"128x64\"\nframes "
                           "= 9\nsteps = 3\nsigma_schedule = \"sglang\"\nbackend = \"cuda\"\n[matrix]\noffload = "
                           "[\"swap\", \"layerwise\"]\n",
                           WANSWEEP_SOURCE_DIR));
  }

  // The script writes its dump to the file that --perf-dump-path names, and then runs `rest`.
  Result run_with(const std::string& rest) {
    const std::string sglang = write_text(
        directory_ / "sglang",
        "#!/bin/bash\n[ \"$1\" = generate ] || exit 3\nwhile [ $# -gt 1 ]; do [ \"$1\" = --perf-dump-path ] && "
        "dump=$2; shift; done\nprintf '{\"total_duration_ms\": 60, \"steps\": [], \"denoise_steps_ms\": "
        "[{\"duration_ms\": 10}, {\"duration_ms\": 20}, {\"duration_ms\": 30}]}' >\"$dump\"\n" +
            rest + "\n");
    fs::permissions(sglang, fs::perms::owner_all);
    return finish(start({"run", sweep_, "--dir", out_, "--sglang", sglang}, "ok"));
  }
};

TEST_F(EngineRunTest, AnAttemptEndsAsOneOfTheWorkerAndIsGathered) {
  const Result result = run_with("exit 0");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("4 of 4 runs done, 0 failed"), std::string::npos) << result.out;
  for (const std::string& attempt : attempts("a1")) {
    EXPECT_EQ(state(attempt).at("state"), "completed");
    EXPECT_TRUE(fs::exists(attempt + "/rank-0000.h5"));
  }
  const Result gathered = finish(start({"gather", out_}, "ok"));
  EXPECT_EQ(gathered.exit_code, 0) << gathered.err;
  const Result answer = finish(start({"query", out_, "offload_comparison", "--json"}, "ok"));
  const auto rows = nlohmann::json::parse(answer.out);
  ASSERT_EQ(rows.size(), 2u) << answer.out;
  EXPECT_EQ(rows[0].at("configuration"), "engine sglang, all");
  EXPECT_EQ(rows[0].at("runs"), 2);
  EXPECT_EQ(rows[0].at("total_s"), 0.06);
  EXPECT_TRUE(rows[0].at("exposed_s").is_null());
  EXPECT_TRUE(rows[0].at("same_latents").is_null());
  EXPECT_NE(
      finish(start({"run", sweep_, "--dir", out_, "--sglang", directory_ / "sglang"}, "ok")).out.find("all 4 runs"),
      std::string::npos);
}

TEST_F(EngineRunTest, AnEngineThatFailsIsAFailedRunWithItsLastLine) {
  const Result result = run_with("echo 'torch.OutOfMemoryError: CUDA out of memory' >&2; exit 1");
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_NE(result.out.find("torch.OutOfMemoryError: CUDA out of memory"), std::string::npos) << result.out;
  EXPECT_FALSE(fs::exists(attempts("a1")[0] + "/completed.json"));
}

TEST_F(EngineRunTest, ADumpThatIsCutShortIsAFailedRun) {
  const Result result = run_with("printf '{\"total_duration_ms\": 60, ' >\"$dump\"");
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_NE(result.out.find("perf.json: is not JSON"), std::string::npos) << result.out;
}

TEST_F(EngineRunTest, AProgramThatIsNotThereIsSaidBeforeAnyAttempt) {
  const Result result = finish(start({"run", sweep_, "--dir", out_, "--sglang", "/none/sglang"}, "ok"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("/none/sglang: not found, but engine sglang needs it"), std::string::npos) << result.err;
  EXPECT_TRUE(attempts("a1").empty());
}

TEST_F(EngineRunTest, JobScriptsStartTheEnginesOwnCommand) {
  const std::string profile = write_text(
      directory_ / "site.toml",
      "gres = \"gpu\"\ngpus_per_node = 4\ncores_per_node = 32\nmemory_per_node = 100000\ntime_limit = \"9:00:00\"\n"
      "engine_setup = [\"source /venv/bin/activate\"]\nsglang = \"sglang\"\n");
  const std::string directory = directory_ / "generated";
  const Result result =
      finish(start({"generate", sweep_, "--cluster", profile, "--dir", directory, "--worker", "/none"}, "ok"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::vector<std::string> commands;
  for (const auto& entry : fs::directory_iterator(directory + "/attempts")) {
    commands.push_back(read_text(entry.path().string() + "/command.sh"));
    EXPECT_NE(commands.back().find("source /venv/bin/activate\nafter_setup "), std::string::npos);
    EXPECT_NE(commands.back().find("sglang generate \\\n  --model-path "), std::string::npos) << commands.back();
  }
  EXPECT_EQ(commands.size(), 4u);
  for (const auto& entry : fs::directory_iterator(directory + "/submissions")) {
    EXPECT_NE(read_text(entry.path().string() + "/job.sh").find("bash \"$attempt/command.sh\""), std::string::npos);
  }
}

}  // namespace
}  // namespace wansweep
