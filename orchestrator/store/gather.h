// Gathers attempt directories into the database. It may be repeated at any time; only new or changed attempts are read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/terminal/progress_line.h"
#include "orchestrator/store/database.h"

namespace wansweep {

struct GatherReport {
  int attempts = 0;  // number seen; each is in one of the next five counts
  int added = 0;
  int replaced = 0;  // gathered before, and the files have changed
  int unchanged = 0;
  int kept = 0;      // the database holds more than the files do now, and keeps it
  int left_out = 0;  // imports that a later one of their run replaced
  int complete = 0;  // complete attempts among the added and replaced
  int incomplete = 0;
  int64_t events = 0;  // rows written
  double seconds = 0;
  std::vector<std::string> problems;  // damaged files, one line each, which a person must look at
  std::vector<std::string> notes;     // harmless oddities, one line each
};

struct GatherOptions {
  int readers = 2;             // threads that read files while one writes
  ProgressSink progress = {};  // on the caller's thread; empty: nobody waits
};

// Throws bad_input when the directory has no attempts/, so that no database is made in a directory given by mistake.
void refuse_without_attempts(const std::string& directory);

// Reads SWEEP_DIR/attempts/* and the records of superseded runs (lineage.h). Throws bad_input when there is no such
// directory, or the database has a sweep of the same name from another directory that still exists. A fault of one
// attempt is a problem in the report, and does not affect the others.
GatherReport gather(const std::string& sweep_dir, Store& store, const GatherOptions& options = {});

}  // namespace wansweep
