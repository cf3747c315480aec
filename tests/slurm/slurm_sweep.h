// A sweep in a folder of its own on the test cluster, driven through the program as a user would.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace wansweep::test {

// Its tests are skipped where there is no cluster. tests/slurm/run knows the suites below by name.
class OnSlurm : public testing::Test {
 protected:
  void SetUp() override;
};

// Tests that wait for a minute and more, beside all others.
class LongWait : public OnSlurm {};

// Tests that take a part of Slurm away, one after the other, on a cluster of their own.
class Outage : public OnSlurm {};

struct Outcome {
  int exit_code = -1;
  std::string out;  // standard output and error
};

// Runs tests/slurm/cluster; fails the test when that fails.
void cluster(const std::string& arguments);

// Why there is no cluster to test on; empty: there is one. Starts it at the first call.
const std::string& no_cluster();

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment = {});

struct SweepSettings {
  int runs = 1;                        // repeats
  std::string worker;                  // shell text of a pretended worker, which has $out; empty: the real one
  std::string matrix = "ranks = [1]";  // TOML
  std::string profile;                 // more lines of the profile, over those that it has
  std::string environment;             // more lines of its [environment]
};

// One run of a pretended worker.
SweepSettings pretended(const std::string& worker, const std::string& profile = "");

class SlurmSweep {
 public:
  explicit SlurmSweep(const SweepSettings& settings);

  // A wansweep verb on this sweep.
  Outcome submit(const std::vector<std::string>& more = {}) const;
  std::vector<std::string> submit_arguments() const;
  Outcome status() const;
  Outcome cancel() const;
  Outcome rerun(const std::vector<std::string>& more = {}) const;  // --failed

  // Calls status until no run is in one of the states of a job that lives; by run, what state.json says ("" without
  // one).
  std::map<std::string, std::string> wait(int seconds) const;
  std::map<std::string, std::string> states() const;
  // Polls until `file` (relative to the sweep's directory) exists.
  bool wait_for_file(const std::string& file, int seconds) const;
  std::vector<std::string> attempts() const;  // directories, sorted
  std::string text(const std::string& file) const;
  std::string token() const;  // of its first submission: the job's name

  // A name that no shell may read.
  std::string out() const { return directory_ / "out $(touch evaluated) 'it' \"is\"\nhere"; }
  std::string folder() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  std::string worker_;
};

}  // namespace wansweep::test
