// Which sweep corrects which, run by run. The files are the truth, and the database follows them:
//   NEW/lineage.json         in the corrected sweep's directory
//   OLD/reruns/<name>.json   the same record in the directory of the sweep that it corrects
// Either is enough to know that a run is superseded; nothing of the old sweep itself is touched.
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
  std::string of;  // the one that it corrects
  std::string of_directory;
  std::vector<std::string> changes;  // "flow_shift=12", in order
  std::string where;                 // which runs were chosen; empty: all
  std::string reason;
  std::string made_at;
  std::vector<ReplacedRun> runs;
};

// Writes one of the two files, atomically, its directory made where it is missing. The directories are kept relative to
// each other, so that both can be moved together. Throws Error(output).
void write_lineage_of_new(const std::string& directory, const Lineage& lineage);
void write_lineage_of_old(const std::string& directory, const Lineage& lineage);

// What the sweep in `directory` corrects (at most one), and the sweeps that correct it, oldest first. Throws bad_input
// naming the file when one is damaged.
std::vector<Lineage> read_lineage_of_new(const std::string& directory);
std::vector<Lineage> read_lineage_of_old(const std::string& directory);

// The sweep's directory, then those of the sweeps that correct it, and theirs, as far as they are there and the records
// that lead to them can be read (gather_lineage names those that cannot).
std::vector<std::string> with_reruns(const std::string& directory);

// Both kinds of record of `directory` into the database: the old runs are superseded by the new ones, whose rows are
// made where they are missing. Again changes nothing. Damaged records are lines in `problems`.
void gather_lineage(Store& store, const std::string& directory, std::vector<std::string>& problems);

}  // namespace wansweep
