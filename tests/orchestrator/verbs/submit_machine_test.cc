// `wansweep submit` as a user starts it, with a shell script in place of sbatch that keeps each job script: what a job
// asks for follows from what is predicted of its run.
#include <cmath>
#include <cstdlib>
#include <optional>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/prediction.h"
#include "slurm/profile.h"
#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

constexpr double startup = 60, signal = 120;   // seconds, of the profile below
constexpr double host_memory_per_rank = 8192;  // MiB

class SubmitMachineTest : public ProgramTest {
 protected:
  SubmitMachineTest() : path_(std::getenv("PATH")) {
    setenv("PATH", (directory_ / "bin:" + path_).c_str(), 1);
    fs::create_directories(directory_ / "bin");
    program("sbatch", "cp \"${!#}\" '" + script() + "'; echo 1000");
    for (const char* name : {"squeue", "sacct"}) program(name, ":");
    sweep_ = write_text(directory_ / "swap.toml",
                        "[sweep]\nname = \"s\"\n[base]\nmodel_id = \"t2v-a14b\"\nweights = \"random:1\"\n"
                        "backend = \"cuda\"\nsize = \"1280x720\"\nframes = 81\nsteps = 50\n"
                        "offload = \"swap\"\nhost_store = \"shared\"\n[matrix]\nranks = [4]\n");
  }
  ~SubmitMachineTest() override { setenv("PATH", path_.c_str(), 1); }

  std::string script() const { return directory_ / "script.sh"; }

  void program(const std::string& name, const std::string& text) const {
    fs::permissions(write_text(directory_ / "bin/" + name, "#!/bin/bash\n" + text + "\n"), fs::perms::owner_all);
  }

  // Submits the sweep into a new directory, on a cluster whose profile ends with `keys`.
  Result submit(const std::string& keys, const std::vector<std::string>& more = {}) {
    const std::string profile =
        write_text(directory_ / "cluster.toml",
                   fmt::format("gres = \"gpu:h200\"\ngpus_per_node = 4\ncores_per_node = 64\nmemory_per_node = 491520\n"
                               "time_limit = \"1-00:00:00\"\nteraflops_per_rank = 150.0\nstartup_seconds = {}\n"
                               "host_memory_per_rank = {}\nsignal_before_end = {}\n{}",
                               startup, host_memory_per_rank, signal, keys));
    fs::remove_all(out_);
    fs::remove(script());
    std::vector<std::string> arguments{"submit", sweep_, "--cluster", profile, "--dir", out_, "--worker", "/bin/true"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return finish(start(arguments, "ok"));
  }

  // The value of an option in the submitted script; "" where it has none.
  std::string asked(const std::string& option) const {
    const std::string text = read_text(script()), before = "#SBATCH --" + option + "=";
    const size_t at = text.find(before);
    if (at == std::string::npos) return "";
    return text.substr(at + before.size(), text.find('\n', at) - at - before.size());
  }

  // What the run is predicted to take until its end at most, with the margins of orchestrator/cluster/shape.h.
  double seconds_on(const std::string& machine_name) const {
    const Machine machine = read_machine(machine_name).machine;
    const Plan plan = make_plan(read_sweep(sweep_));
    const Prediction p = predict(machine, *plan.configurations.front().run);
    const double at_most = p.store_seconds + p.of(Quantity::first_load).high + p.of(Quantity::total).high;
    return 300 * std::ceil(((at_most + startup) * 1.25 + signal) / 300);
  }

 private:
  std::string path_;
};

TEST_F(SubmitMachineTest, AJobAsksForTheTimeAndTheMemoryThatArePredicted) {
  const Result given = submit("", {"--machine", "h200-one-wire"});
  ASSERT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(static_cast<double>(parse_duration(asked("time"))), seconds_on("h200-one-wire"));
  const Prediction p =
      predict(read_machine("h200-one-wire").machine, *make_plan(read_sweep(sweep_)).configurations.front().run);
  const double mib = 1.25 * static_cast<double>(p.host_bytes) / (1024 * 1024) + 4 * host_memory_per_rank;
  EXPECT_EQ(asked("mem"), fmt::format("{}M", 1024 * static_cast<int64_t>(std::ceil(mib / 1024))));
  EXPECT_EQ(std::distance(fs::directory_iterator(out_ + "/predictions"), fs::directory_iterator()), 1)
      << "the predictions are kept beside what will be measured";
}

TEST_F(SubmitMachineTest, TheMachineOfTheProfileCountsUntilTheCommandNamesAnother) {
  ASSERT_EQ(submit("machine = \"aces\"\n").exit_code, 0);
  const std::string by_profile = asked("time");
  EXPECT_EQ(static_cast<double>(parse_duration(by_profile)), seconds_on("aces"));
  ASSERT_EQ(submit("machine = \"aces\"\n", {"--machine", "h200-nvlink"}).exit_code, 0);
  EXPECT_EQ(static_cast<double>(parse_duration(asked("time"))), seconds_on("h200-nvlink"));
  EXPECT_NE(asked("time"), by_profile);
  ASSERT_EQ(submit("").exit_code, 0) << "without a machine, teraflops_per_rank says how long it takes";
  EXPECT_NE(asked("time"), by_profile);
  EXPECT_FALSE(fs::exists(out_ + "/predictions"));
  ASSERT_EQ(submit("machine = \"aces\"\n", {"--time", "3:00:00"}).exit_code, 0);
  EXPECT_EQ(parse_duration(asked("time")), 3 * 3600) << "what the user asks for goes before what is predicted";
}

TEST_F(SubmitMachineTest, AMachineThatDoesNotExistSubmitsNothing) {
  const Result refused = submit("machine = \"acess\"\n");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("machine acess: there is no such file"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(script()));
  EXPECT_FALSE(fs::exists(out_));
}

}  // namespace
}  // namespace wansweep
