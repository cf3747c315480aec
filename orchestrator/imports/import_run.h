// Converts the files of other engines to attempts like the worker's: a trace for each rank and completed.json. All
// later steps (gather, queries, export, report) make no difference between engines.
//
//   a run made elsewhere   files and settings that a person gives; a new attempt in a sweep's directory, with copies of
//                          the files in imported/
//   an attempt of a sweep  files that its engine wrote to its folder (orchestrator/engines), and its spec.json's
//   settings
//
// Importing the same files again changes nothing: an attempt's traces hold the digests of the files that they were made
// from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

struct ImportRequest {
  std::string directory;           // the sweep's directory; created if it is missing
  std::string run;                 // the run's name
  int repeat = 1;                  // number of the repeat of its configuration
  std::vector<std::string> files;  // files of all its ranks
  RunSettings settings;            // known settings have an origin; ranks and steps may come from the files
  std::string kernels;             // TOML of kernel classes (kernel_classes.h); empty: none
};

struct ImportReport {
  std::string attempt;  // its folder
  bool unchanged = false;
  int ranks = 0;
  int64_t steps = 0, events = 0;   // rows, of all ranks
  std::vector<std::string> notes;  // a line each
};

// Imports files as a run. If some are not in the run's newest attempt, makes a new attempt from that attempt's files
// and these. A run that exists keeps its settings; `request.settings` may repeat them. Throws bad_input as assemble_run
// does, for settings that contradict the run's, and for a missing offload or engine; Error(output).
ImportReport import_run(const ImportRequest& request);

// Imports the files in an attempt's folder: called by the last line of an engine's script, and for an attempt whose job
// ended before that line. Throws bad_input when the engine has written nothing that can be read, or the files are not
// of this attempt.
ImportReport import_attempt(const std::string& directory, const std::string& kernels);

}  // namespace wansweep
