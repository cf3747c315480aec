// One attempt into the database, in one transaction.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/database.h"

namespace wansweep {

enum class Outcome {
  added,
  replaced,   // it was there; the files say more now
  unchanged,  // the same rows were there already
  kept,       // what is there says more than the files, or is of another execution; `problem` says which
};

struct Written {
  Outcome outcome = Outcome::added;
  std::string problem;
};

Written write_attempt(Store& store, int64_t sweep_id, const AttemptRows& rows);

// The run's row, made where it is missing.
int64_t find_or_add_run(Store& store, int64_t sweep_id, const std::string& name, const std::string& config,
                        int64_t repeat);

}  // namespace wansweep
