// One sweep on disk: sweep.json, the lock (sweep_lock.h), attempts/ (attempt_folder.h) and submissions/ (submission.h).
// The attempts hold the results; sweep.json only lists the requested runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"

namespace wansweep {

// One run in sweep.json.
struct ListedRun {
  std::string run;
  std::string config;  // settings_hash
  int repeat = 0;
};

// The configuration's name: "r4-swap-shift12-1f0c93ab" for "r4-swap-shift12-1f0c93ab-2".
std::string configuration_of(const ListedRun& run);

// The runs that an earlier version of the sweep's file listed and the current one does not. Their attempts may still
// run.
struct EarlierMatrix {
  std::string sha256;  // digest of the file's text
  std::string text;
  std::vector<ListedRun> runs;
};

struct SweepRecord {
  std::string name;
  std::string file;                    // absolute
  std::vector<ListedRun> runs;         // the runs of the file when it was last run or submitted
  std::vector<EarlierMatrix> earlier;  // oldest first; each run is in only one of them, and not in `runs`
};

// Creates the directory if it is missing. Throws Error(output).
void create_sweep_directory(const std::string& directory);

// Early versions hashed absolute paths. Gives each configuration that `directory` lists under such a hash that old hash
// and name, so that no run of an older sweep is repeated. To be called before the record is written. Throws bad_input
// when the record cannot be read.
void keep_recorded_names(const std::string& directory, Plan& plan);

// Writes sweep.json: the matrix as text, its hash, the runs, and the settings of each configuration. Runs that only an
// earlier matrix listed stay in it, with their settings. Throws bad_input when the directory belongs to another sweep
// or its record cannot be read. The caller holds the lock.
void write_sweep_record(const std::string& directory, const Sweep& sweep, const Plan& plan);

// Throws bad_input when `directory` holds runs that `wansweep import` made: no sweep's file lists them, and nothing
// here starts them.
void refuse_imports(const std::string& directory);

// Throws bad_input when `directory` does not hold a sweep, or its record cannot be read.
SweepRecord read_sweep_record(const std::string& directory);

// The name under which the directory's attempts are gathered: that of sweep.json; of a directory of imports, which has
// none, that which its attempts record, or else its own. Throws bad_input when sweep.json cannot be read.
std::string sweep_name_of(const std::string& directory);

// The planned settings of each configuration, by hash. Throws bad_input, also when the record does not have them.
std::map<std::string, RunSettings> read_sweep_specs(const std::string& directory);

}  // namespace wansweep
