#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class PlanVerbTest : public ProgramTest {
 protected:
  // Two configurations of the tiny model, of which the second cannot run.
  std::string jobs() const {
    return write_text(directory_ / "jobs.toml",
                      "[sweep]\nname = \"s\"\nrepeats = 2\n[base]\nmodel = \"" WANSWEEP_SOURCE_DIR
                      "/tests/reference/tiny-wan2.2-t2v\"\ninputs = \"" WANSWEEP_SOURCE_DIR
                      "/tests/reference/trajectory-shift12.safetensors\"\nsteps = 27\n"
                      "[matrix]\noffload = [\"planned\"]\ndevice_budget = [0.0045, 0.0001]\n");
  }

  std::string name_of_configuration(int index) {
    const Result plan = finish(start({"plan", jobs(), "--json"}, "ok"));
    return nlohmann::json::parse(plan.out).at("configurations").at(index).at("name");
  }
};

TEST_F(PlanVerbTest, TheScheduleOfARunCanBePrinted) {
  const std::string name = name_of_configuration(0);
  for (const std::string& run : {name, name + "-2"}) {
    const Result text = finish(start({"plan", jobs(), "--schedule", run}, "ok"));
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_NE(text.out.find("blocks: = there, < brought for this use"), std::string::npos) << text.out;
  }
  const Result json = finish(start({"plan", jobs(), "--schedule", name, "--json"}, "ok"));
  EXPECT_EQ(nlohmann::json::parse(json.out).at("schedule").at("slots"), 2);
  const Result predicted =
      finish(start({"plan", jobs(), "--schedule", name, "--step-seconds", "0.1", "--link-rate", "1"}, "ok"));
  EXPECT_NE(predicted.out.find("predicted   2.7"), std::string::npos) << predicted.out << predicted.err;
}

TEST_F(PlanVerbTest, AScheduleThatCannotBePrintedSaysWhy) {
  const Result unknown = finish(start({"plan", jobs(), "--schedule", "r1-planed"}, "ok"));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("r1-planed: the sweep has no such run"), std::string::npos) << unknown.err;
  const Result impossible = finish(start({"plan", jobs(), "--schedule", name_of_configuration(1)}, "ok"));
  EXPECT_EQ(impossible.exit_code, 2);
  EXPECT_NE(impossible.err.find("device_budget is 0.0001 GiB"), std::string::npos) << impossible.err;
  const Result half = finish(start({"plan", jobs(), "--schedule", "x", "--link-rate", "1"}, "ok"));
  EXPECT_EQ(half.exit_code, 2) << half.err;
}

}  // namespace
}  // namespace wansweep
