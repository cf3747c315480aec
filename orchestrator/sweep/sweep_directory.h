// One sweep on disk: sweep.json, the lock (sweep_lock.h), attempts/ (attempt_folder.h) and submissions/
// (submission.h). What is true is what lies in the attempts; sweep.json only lists the runs that were asked for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"

namespace wansweep {

// One run as sweep.json lists it.
struct ListedRun {
  std::string run;
  std::string config;  // settings_hash
  int repeat = 0;
};

// "r4-swap-shift12-1f0c93ab" of "r4-swap-shift12-1f0c93ab-2".
std::string configuration_of(const ListedRun& run);

// What the sweep's file asked for before it was edited, as far as it does not ask for it now. Attempts of these runs
// may live.
struct EarlierMatrix {
  std::string sha256;  // of the file's text
  std::string text;
  std::vector<ListedRun> runs;
};

struct SweepRecord {
  std::string name;
  std::string file;                    // absolute
  std::vector<ListedRun> runs;         // of the file as it was last run or submitted
  std::vector<EarlierMatrix> earlier;  // oldest first; no run is in two of them, nor in `runs`
};

// Makes the directory where it is missing. Throws Error(output).
void create_sweep_directory(const std::string& directory);

// Gives the configurations that `directory` lists under a hash over absolute paths, as wansweep took them once, the
// hashes and names that they have there, so that no run of an older sweep goes again. To be called before the record is
// written. Throws bad_input when the record cannot be read.
void keep_recorded_names(const std::string& directory, Plan& plan);

// Writes sweep.json: the matrix as text, its hash, the runs, and the settings of each configuration. Runs that an
// earlier matrix listed, and this one does not, stay in it, and their settings. The directory of another sweep, and a
// record that cannot be read, are refused. The caller holds the lock.
void write_sweep_record(const std::string& directory, const Sweep& sweep, const Plan& plan);

// Throws bad_input when `directory` holds no sweep, or one that cannot be read.
SweepRecord read_sweep_record(const std::string& directory);

// The resolved settings of each configuration, by hash, as planned. Throws bad_input, also for a record without them.
std::map<std::string, RunSettings> read_sweep_specs(const std::string& directory);

}  // namespace wansweep
