// Writes attempts to the database, each in one transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/database.h"

namespace wansweep {

enum class Outcome {
  added,
  replaced,   // the database had it, and the files have changed
  unchanged,  // the database had the same rows
  kept,       // the database has more than the files, or another execution; `problem` says which
};

struct Written {
  Outcome outcome = Outcome::added;
  std::string problem;
};

Written write_attempt(Store& store, int64_t sweep_id, const AttemptRows& rows);

// The id of the run's row, which is added if it is missing. A row with another config is changed to this one if it is
// among `replaced`; otherwise throws bad_input.
int64_t find_or_add_run(Store& store, int64_t sweep_id, const std::string& name, const std::string& config,
                        int64_t repeat, const std::vector<std::string>& replaced = {});

// Attempts whose records cannot be read: their runs were begun, and are not shown as not started. Puts a row with state
// "cannot be read" for each that is of a run which the sweep lists, in place of those of an earlier gather. `problems`:
// what is wrong, by the attempt's directory. An attempt that was gathered when it could be read keeps its row.
void write_unreadable_attempts(Store& store, const std::string& sweep_directory,
                               const std::map<std::string, std::string>& problems);

}  // namespace wansweep
