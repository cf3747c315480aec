// From attempt directories into the database: each as often as one likes, and only what is new is read again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/terminal/progress_line.h"
#include "orchestrator/store/database.h"

namespace wansweep {

struct GatherReport {
  int attempts = 0;  // seen; each is one of the next four
  int added = 0;
  int replaced = 0;  // known already; the files say more now
  int unchanged = 0;
  int kept = 0;      // what the database has says more than the files
  int complete = 0;  // of those added or replaced
  int incomplete = 0;
  int64_t events = 0;  // rows written
  double seconds = 0;
  std::vector<std::string> problems;  // damaged files, a line each: with any, something needs a person
  std::vector<std::string> notes;     // what is odd and does no harm, a line each
};

struct GatherOptions {
  int readers = 2;             // threads that read files while one writes
  ProgressSink progress = {};  // on the caller's thread; empty: nobody waits
};

// Reads SWEEP_DIR/attempts/*, and which runs are superseded (lineage.h). Throws bad_input when there is no such
// directory, or the database has a sweep of that name from another directory, which still holds it; what is wrong with
// one attempt is a problem in the report, and the others go on.
GatherReport gather(const std::string& sweep_dir, Store& store, const GatherOptions& options = {});

}  // namespace wansweep
