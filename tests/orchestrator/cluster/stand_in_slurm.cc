#include "tests/orchestrator/cluster/stand_in_slurm.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/clock.h"

namespace wansweep {

namespace fs = std::filesystem;

StandInSlurm::StandInSlurm() : path_(std::getenv("PATH")) {
  setenv("PATH", (directory_ / "bin:" + path_).c_str(), 1);
  fs::create_directories(directory_ / "bin");
  fs::create_directories(sweep() + "/attempts");
  submission_.token = "ws-1f0c93ab-5e0d41c7";
  submission_.directory = sweep() + "/submissions/" + submission_.token;
  submission_.created_at = seconds_now() - 1000;
  submission_.worker = "/bin/false";
  submission_.profile.lost_seconds = 0;
  submission_.profile.poll_seconds = 0;
  submission_.profile.command_timeout = 5;
  AttemptFolder attempts(sweep());
  PlannedConfiguration configuration;
  configuration.hash = std::string(64, 'a');
  configuration.name = "r1-swap-shift12-aaaaaaaa";
  for (int index = 0; index < 2; ++index) {
    const Attempt made = attempts.create("s", configuration, index + 1, SubmissionPlace{submission_.token, index});
    submission_.members.push_back(fs::path(made.directory).filename().string());
  }
  write_intent(submission_, "#!/bin/bash\n");
  forget();
}

StandInSlurm::~StandInSlurm() { setenv("PATH", path_.c_str(), 1); }

void StandInSlurm::program(const std::string& name, const std::string& text) const {
  fs::permissions(write_text(directory_ / "bin/" + name, "#!/bin/bash\n" + text + "\n"), fs::perms::owner_all);
}

void StandInSlurm::queue(const std::string& columns) const {
  program("squeue", fmt::format("echo '{0}|1001|0|{1}|'; echo '{0}|1001|1|{1}|'", submission_.token, columns));
}

void StandInSlurm::forget() const {
  program("squeue", ":");
  program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
}

std::string StandInSlurm::state(int index) const {
  const std::optional<Attempt> found = read_attempt(attempt(index));
  return found && found->state ? std::string(name_of(found->state->end)) : "";
}

}  // namespace wansweep
