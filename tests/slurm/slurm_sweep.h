// A sweep in a folder of its own on the test cluster, driven through the program as a user would.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace wansweep::test {

// These tests are skipped where there is no cluster. tests/slurm/run knows the suites below by name.
class OnSlurm : public testing::Test {
 protected:
  void SetUp() override;
};

// Tests that wait for a minute or more. They run beside all others.
class LongWait : public OnSlurm {};

// Tests that take down a part of Slurm. They run one after the other, on a cluster of their own.
class Outage : public OnSlurm {};

struct Outcome {
  int exit_code = -1;
  std::string out;  // standard output and error
};

// Runs tests/slurm/cluster; fails the test when that fails.
void cluster(const std::string& arguments);

// The reason why there is no cluster to test on; empty when there is one. The first call starts it.
const std::string& no_cluster();

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment = {});

struct SweepSettings {
  int runs = 1;                        // repeats
  std::string worker;                  // shell text of a pretended worker, which has $out; empty: the real one
  std::string matrix = "ranks = [1]";  // [matrix] of the sweep, TOML
  std::string profile;                 // further lines of the profile; they replace lines with the same key
  std::string environment;             // further lines of the profile's [environment]
};

// Settings of one run whose worker is this shell text.
SweepSettings pretended(const std::string& worker, const std::string& profile = "");

class SlurmSweep {
 public:
  explicit SlurmSweep(const SweepSettings& settings);

  // Calls a verb of wansweep on this sweep.
  Outcome submit(const std::vector<std::string>& more = {}) const;
  std::vector<std::string> submit_arguments() const;
  Outcome status() const;
  Outcome cancel() const;
  Outcome rerun(const std::vector<std::string>& more = {}) const;  // wansweep rerun --failed

  // Calls status until no run is in a state of a job that lives. Returns the state in each run's state.json ("" without
  // one), by run.
  std::map<std::string, std::string> wait(int seconds) const;
  std::map<std::string, std::string> states() const;
  // Polls until `file` (relative to the sweep's directory) exists.
  bool wait_for_file(const std::string& file, int seconds) const;
  std::vector<std::string> attempts() const;  // directories, sorted
  std::string text(const std::string& file) const;
  std::string token() const;  // token of the first submission, which is the job's name

  // A path that would break if a shell read it.
  std::string out() const { return directory_ / "out $(touch evaluated) 'it' \"is\"\nhere"; }
  std::string folder() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  std::string worker_;
};

}  // namespace wansweep::test
