// A sweep with one submission of two runs, and shell scripts in place of Slurm's programs.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {

class StandInSlurm : public testing::Test {
 protected:
  StandInSlurm();
  ~StandInSlurm() override;

  // From now on the program `name` (squeue, sacct, ...) is a shell script with this text.
  void program(const std::string& name, const std::string& text) const;
  // From now on squeue prints both members, each with "STATE|REASON|NODES|WAIT|START|END".
  void queue(const std::string& columns) const;
  // From now on Slurm knows neither member, and there is no accounting.
  void forget() const;

  std::string sweep() const { return directory_ / "sweep"; }
  std::string attempt(int index) const { return sweep() + "/attempts/" + submission_.members[index]; }
  // The member's state on disk; "" while there is none.
  std::string state(int index) const;

  TemporaryDirectory directory_;
  Submission submission_;

 private:
  std::string path_;
};

}  // namespace wansweep
