// The program as a user starts it, with fake_mpirun in place of MPI: a sweep of one configuration and two repeats, in
// paths that a shell would choke on. FAKE_WORKER tells the ranks how to end (launch/fake_mpirun.cc).
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/process.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {

namespace fs = std::filesystem;

class ProgramTest : public testing::Test {
 protected:
  struct Result {
    int exit_code = -1;
    std::string out;
    std::string err;
  };

  static std::string read_text(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  ProgramTest() {
    sweep_ = directory_ / "my sweep's $(file).toml";  // a name that would break if a shell read it
    write_text(sweep_, fmt::format("[sweep]\nname = \"s\"\nrepeats = 2\n[base]\nmodel = "
                                   "\"{0}/tests/reference/tiny-wan2.2-t2v\"\ninputs = "
                                   "\"{0}/tests/reference/trajectory-shift12.safetensors\"\n[matrix]\nranks = [2]\n",
                                   WANSWEEP_SOURCE_DIR));
    out_ = directory_ / "out $(touch evaluated) 'here'\nand there";
  }

  pid_t start(std::vector<std::string> arguments, const std::string& mode) {
    arguments.insert(arguments.begin(), std::string(WANSWEEP_BIN_DIR) + "/wansweep");
    return spawn({arguments, {{"FAKE_WORKER", mode}}, directory_ / "stdout", directory_ / "stderr"});
  }

  Result finish(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_text(directory_ / "stdout"),
            read_text(directory_ / "stderr")};
  }

  std::vector<std::string> run_arguments() const {
    return {"run",      sweep_,     "--dir", out_, "--mpirun", std::string(WANSWEEP_BIN_DIR) + "/fake_mpirun",
            "--worker", "/bin/true"};
  }

  Result run(const std::string& mode = "ok") { return finish(start(run_arguments(), mode)); }

  // Folders of the attempts whose names end with `ending`, such as "a1" or "a2".
  std::vector<std::string> attempts(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(out_ + "/attempts")) {
      if (entry.path().string().ends_with("-" + ending)) found.push_back(entry.path().string());
    }
    return found;
  }

  nlohmann::json state(const std::string& attempt) const {
    return nlohmann::json::parse(read_text(attempt + "/state.json"));
  }

  // Waits until the fake worker of the first attempt runs.
  std::string wait_for_first_attempt() const {
    for (int i = 0; i < 500; ++i) {
      std::error_code failed;
      for (const auto& entry : fs::directory_iterator(out_ + "/attempts", failed)) {
        std::string attempt = entry.path().string();
        if (fs::exists(attempt + "/arguments.txt") && fs::exists(attempt + "/pid.json")) return attempt;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << "no attempt began";
    return "";
  }

  static void expect_ended(int pid) {
    for (int i = 0; i < 500 && process_start(pid) != 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(process_start(pid), 0u) << "process " << pid << " still runs";
  }

  TemporaryDirectory directory_;
  std::string sweep_;
  std::string out_;
};

}  // namespace wansweep
