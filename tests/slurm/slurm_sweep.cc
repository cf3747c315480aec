#include "tests/slurm/slurm_sweep.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "base/process.h"

namespace wansweep::test {
namespace {

namespace fs = std::filesystem;

const std::string script = WANSWEEP_SOURCE_DIR "/tests/slurm/cluster";

std::string read_text(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Starts the cluster once, and stops it when the program ends, unless WANSWEEP_TEST_CLUSTER says that tests/slurm/run
// does both: while one test has a part of the cluster down, `up` of another test would start it anew.
class Cluster : public testing::Environment {
 public:
  const std::string& problem() {
    if (!asked_) start();
    return problem_;
  }
  void TearDown() override {
    if (started_) run_program({script, "down"});
  }

 private:
  void start() {
    asked_ = true;
    if (const char* conf = std::getenv("WANSWEEP_TEST_CLUSTER")) {
      setenv("SLURM_CONF", conf, 1);
      return;
    }
    started_ = true;
    const Outcome up = run_program({script, "up"});
    const size_t at = up.out.find("SLURM_CONF=");
    if (up.exit_code != 0 || at == std::string::npos) {
      problem_ = "no Slurm to test on: " + up.out;
      return;
    }
    const std::string conf = up.out.substr(at + 11, up.out.find('\n', at) - at - 11);
    setenv("SLURM_CONF", conf.c_str(), 1);
  }

  bool asked_ = false;
  bool started_ = false;
  std::string problem_;
};

Cluster* const the_cluster = static_cast<Cluster*>(testing::AddGlobalTestEnvironment(new Cluster));

// The beginning of a pretended worker's script: mpirun gives each rank all arguments.
constexpr const char* worker_head =
    "#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in --out) out=$2 ;; esac; shift; done\n";

}  // namespace

const std::string& no_cluster() { return the_cluster->problem(); }

void OnSlurm::SetUp() {
  if (!no_cluster().empty()) GTEST_SKIP() << no_cluster();
}

SweepSettings pretended(const std::string& worker, const std::string& profile) {
  SweepSettings settings;
  settings.worker = worker;
  settings.profile = profile;
  return settings;
}

void cluster(const std::string& arguments) {
  std::vector<std::string> command{script};
  std::istringstream words(arguments);
  for (std::string word; words >> word;) command.push_back(word);
  const Outcome outcome = run_program(command);
  EXPECT_EQ(outcome.exit_code, 0) << arguments << ": " << outcome.out;
}

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment) {
  const TemporaryDirectory directory;
  Command command;
  command.arguments = arguments;
  command.environment = environment;
  command.stdout_file = directory / "out";
  command.stderr_file = directory / "err";
  int status = 0;
  waitpid(spawn(command), &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
          read_text(directory / "out") + read_text(directory / "err")};
}

SlurmSweep::SlurmSweep(const SweepSettings& settings) {
  worker_ = WANSWEEP_BIN_DIR "/wansweep-worker";
  if (!settings.worker.empty()) {
    worker_ = write_text(directory_ / "worker", worker_head + settings.worker);
    fs::permissions(worker_, fs::perms::owner_all);
  }
  write_text(directory_ / "sweep.toml",
             fmt::format("[sweep]\nname = \"slurm-test\"\nrepeats = {1}\n[base]\nmodel = "
                         "\"{0}/tests/reference/tiny-wan2.2-t2v\"\ninputs = "
                         "\"{0}/tests/reference/trajectory-shift12.safetensors\"\nsteps = 3\n[matrix]\n{2}\n",
                         WANSWEEP_SOURCE_DIR, settings.runs, settings.matrix));
  // TOML refuses a key that occurs twice, so a setting of the test replaces the shipped one.
  std::string profile = read_text(WANSWEEP_SOURCE_DIR "/slurm/local-test.toml");
  std::istringstream lines(settings.profile);
  for (std::string line; std::getline(lines, line);) {
    const std::string key = line.substr(0, line.find(' ')) + " =";
    const size_t at = profile.find("\n" + key);
    if (at != std::string::npos) profile.erase(at + 1, profile.find('\n', at + 1) - at);
  }
  write_text(directory_ / "cluster.toml", settings.profile + "\n" + profile + settings.environment);
}

std::vector<std::string> SlurmSweep::submit_arguments() const {
  return {WANSWEEP_BIN_DIR "/wansweep",
          "submit",
          directory_ / "sweep.toml",
          "--cluster",
          directory_ / "cluster.toml",
          "--dir",
          out(),
          "--worker",
          worker_};
}

Outcome SlurmSweep::submit(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = submit_arguments();
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

Outcome SlurmSweep::status() const { return run_program({WANSWEEP_BIN_DIR "/wansweep", "status", out()}); }

Outcome SlurmSweep::cancel() const { return run_program({WANSWEEP_BIN_DIR "/wansweep", "cancel", out()}); }

Outcome SlurmSweep::rerun(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{WANSWEEP_BIN_DIR "/wansweep", "rerun", out(), "--failed"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

std::vector<std::string> SlurmSweep::attempts() const {
  std::vector<std::string> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(out() + "/attempts", failed)) {
    // An attempt that was interrupted before its attempt.json was written never began.
    if (fs::exists(entry.path() / "attempt.json")) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::map<std::string, std::string> SlurmSweep::states() const {
  std::map<std::string, std::string> states;
  for (const std::string& attempt : attempts()) {
    const auto state = nlohmann::json::parse(read_text(attempt + "/state.json"), nullptr, false);
    states[fs::path(attempt).filename()] = state.is_object() ? state.value("state", "") : "";
  }
  return states;
}

std::map<std::string, std::string> SlurmSweep::wait(int seconds) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    status();
    std::map<std::string, std::string> now = states();
    const bool ended = std::none_of(now.begin(), now.end(), [](const auto& each) { return each.second.empty(); });
    if (ended || std::chrono::steady_clock::now() > deadline) return now;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

bool SlurmSweep::wait_for_file(const std::string& file, int seconds) const {
  for (int i = 0; i < seconds * 20; ++i) {
    if (fs::exists(out() + "/" + file)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::string SlurmSweep::token() const {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(out() + "/submissions", failed)) return entry.path().filename();
  return "";
}

std::string SlurmSweep::text(const std::string& file) const { return read_text(out() + "/" + file); }

}  // namespace wansweep::test
