#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class EnginePlacesTest : public ProgramTest {
 protected:
  Result generate(const std::string& of_engine) {
    const std::string cluster = write_text(
        directory_ / "cl.toml",
        "partition = \"gpu\"\ngres = \"gpu:h100\"\ngpus_per_node = 6\ncores_per_node = 96\nmemory_per_node = 491520\n"
        "time_limit = \"2-00:00:00\"\n" +
            of_engine);
    const std::string jobs = write_text(
        directory_ / "sglang.toml",
        fmt::format("[sweep]\nname = \"s\"\n[base]\nengine = \"sglang\"\nengine_version = \"0.5.9\"\nmodel = "
                    "\"{}/tests/reference/tiny-wan2.2-t2v\"\nsize = \"128x64\"\nframes = 9\nsteps = 4\n"
                    "sigma_schedule = \"sglang\"\nbackend = \"cuda\"\n[matrix]\noffload = [\"swap\"]\n",
                    WANSWEEP_SOURCE_DIR));
    return finish(
        start({"generate", jobs, "--cluster", cluster, "--dir", directory_ / "g", "--worker", "/bin/true"}, "ok"));
  }
};

TEST_F(EnginePlacesTest, AProfileThatDoesNotSayWhereTheEngineIsIsRefused) {
  const Result result = generate("sglang = \"no-such-sglang\"\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("cl.toml: does not say how a node finds engine sglang, and no-such-sglang is not in PATH "
                            "here: set engine_setup to the shell's lines that activate its environment, "),
            std::string::npos)
      << result.err;
  EXPECT_FALSE(fs::exists(directory_ / "g"));
}

TEST_F(EnginePlacesTest, ASetupAContainerOrAPathIsEnough) {
  for (const char* place : {"engine_setup = [\"source /v/bin/activate\"]\n",
                            "engine_container = \"apptainer exec x\"\n", "sglang = \"/v/bin/sglang\"\n"}) {
    const Result result = generate(place);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.err.find("cl.toml: account is not set, so Slurm charges your default account"), std::string::npos)
        << result.err;
    fs::remove_all(directory_ / "g");
  }
  EXPECT_EQ(generate("account = \"mine\"\nsglang = \"/v/bin/sglang\"\n").err, "");
}

}  // namespace
}  // namespace wansweep
