// Records which sweep corrects which, run by run. The files decide, and the database copies them:
//   NEW/lineage.json         in the corrected sweep's directory
//   OLD/reruns/<name>.json   the same record in the directory of the sweep that it corrects
// One of the two files is enough to know that a run is superseded; the old sweep itself is not changed.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/store/database.h"

namespace wansweep {

struct RunKey {
  std::string run;
  std::string config;  // settings_hash
  int repeat = 0;
};

struct ReplacedRun {
  RunKey before;
  RunKey after;
};

struct Lineage {
  std::string sweep;  // the corrected one
  std::string directory;
  std::string of;  // the sweep that it corrects
  std::string of_directory;
  std::vector<std::string> changes;  // "flow_shift=12", in order
  std::string where;                 // the condition that chose the runs; empty: all runs
  std::string reason;
  std::string made_at;
  std::vector<ReplacedRun> runs;
};

// Writes one of the two files atomically, and creates its directory if it is missing. The sweeps' directories are
// stored relative to each other, so that both can be moved together. Throws Error(output).
void write_lineage_of_new(const std::string& directory, const Lineage& lineage);
void write_lineage_of_old(const std::string& directory, const Lineage& lineage);

// The sweep that `directory` corrects (at most one), and the sweeps that correct it, oldest first. Throws bad_input
// naming the file when a record is damaged.
std::vector<Lineage> read_lineage_of_new(const std::string& directory);
std::vector<Lineage> read_lineage_of_old(const std::string& directory);

// The sweep's directory, followed by those of all sweeps that correct it, directly or indirectly, as far as they exist
// and their records can be read (gather_lineage names the others).
std::vector<std::string> with_reruns(const std::string& directory);

// Copies both kinds of record of `directory` into the database: marks the old runs as superseded by the new ones, and
// adds missing rows for the new ones. Repeating it changes nothing. Damaged records are lines in `problems`.
void gather_lineage(Store& store, const std::string& directory, std::vector<std::string>& problems);

}  // namespace wansweep
