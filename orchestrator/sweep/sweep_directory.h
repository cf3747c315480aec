// One sweep on disk: sweep.json, the lock, and attempts/ (attempt.h). What is true is what lies in the attempts;
// sweep.json only lists the runs that the matrix asked for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"

namespace wansweep {

// One run as sweep.json lists it.
struct ListedRun {
  std::string run;
  std::string config;  // spec_hash
  int repeat = 0;
};

struct SweepRecord {
  std::string name;
  std::string file;
  std::vector<ListedRun> runs;
};

// Held for as long as the object lives. Throws Error(store_busy) naming the holder's pid and host.
class SweepLock {
 public:
  explicit SweepLock(const std::string& directory);
  ~SweepLock();
  SweepLock(const SweepLock&) = delete;
  SweepLock& operator=(const SweepLock&) = delete;

 private:
  int fd_ = -1;
};

// Makes the directory where it is missing. Throws Error(output).
void create_sweep_directory(const std::string& directory);

// Writes sweep.json: the matrix as text, its hash, the runs, and the settings of each configuration. The directory of
// another sweep is refused.
void write_sweep_record(const std::string& directory, const Sweep& sweep, const Plan& plan);

// Throws bad_input when `directory` holds no sweep.
SweepRecord read_sweep_record(const std::string& directory);

// The resolved settings of each configuration, by hash, as planned. Throws bad_input, also for a record without them.
std::map<std::string, RunSpec> read_sweep_specs(const std::string& directory);

}  // namespace wansweep
