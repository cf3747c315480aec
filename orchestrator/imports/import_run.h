// Converts the files of other engines to attempts like the worker's: a trace for each rank and completed.json. All
// later steps (gather, queries, export, report) make no difference between engines.
//
//   a run made elsewhere   files and settings that a person gives; a new attempt in a sweep's directory, with copies of
//                          the files in imported/
//   an attempt of a sweep  files that its engine wrote to its folder (orchestrator/engines), and its spec.json's
//   settings
//
// Importing the same files again changes nothing: an attempt's record holds the digests of the files that it was made
// from (import_record.h). No second run of the sweep takes one of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

struct ImportRequest {
  std::string directory;           // the sweep's directory; created if it is missing
  std::string run;                 // the run's name
  std::optional<int> repeat;       // number of the repeat of its configuration; nullopt: the run's, or else 1
  bool replace = false;            // these files and settings take the place of those that the run has
  std::vector<std::string> files;  // files of all its ranks
  RunSettings settings;            // known settings have an origin; ranks and steps may come from the files
  std::string kernels;             // TOML of kernel classes (kernel_classes.h); empty: none
};

struct ImportReport {
  std::string attempt;  // its folder
  bool unchanged = false;
  int ranks = 0;
  int64_t steps = 0;               // of the rank that has most
  int64_t events = 0;              // of all ranks
  std::vector<std::string> notes;  // a line each
};

// Imports files as a run. If some are not in the run's newest attempt, makes a new attempt from that attempt's files
// and these; with `replace`, from these alone. A run that exists keeps its settings; `request.settings` may repeat
// them, and tell what was unknown. Throws bad_input as assemble_run and imported_settings do, for settings that
// contradict the run's, for a file of another run, and for a repeat that is another run; Error(output).
ImportReport import_run(const ImportRequest& request);

// Imports the files in an attempt's folder: called by the last line of an engine's script, and for an attempt whose job
// ended before that line. Throws bad_input when the engine has written nothing that can be read, or the files are not
// of this attempt.
ImportReport import_attempt(const std::string& directory, const std::string& kernels);

}  // namespace wansweep
