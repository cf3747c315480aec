// What a sweep's directory keeps of predictions (orchestrator/predict/prediction_record.h), into table prediction.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/store/database.h"

namespace wansweep {

// Of the sweep that `store` has by `directory`: its predictions become those of the files, and nothing else changes.
// Again changes nothing. Files that are damaged are lines in `problems`, and what was gathered of them before stays.
void gather_predictions(Store& store, const std::string& directory, std::vector<std::string>& problems);

}  // namespace wansweep
