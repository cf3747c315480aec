// What other engines leave becomes attempts as the worker leaves them: a trace for each rank and completed.json. All
// that comes after (gather, queries, export, report) knows no difference.
//
//   a run made elsewhere   files and settings that a person gives; a new attempt in a sweep's directory, with copies of
//                          the files in imported/
//   an attempt of a sweep  what its engine left in its folder (orchestrator/engines), by the settings of its spec.json
//
// The same files again change nothing: an attempt's traces hold the digests of what they were made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

struct ImportRequest {
  std::string directory;           // of the sweep; made when it is not there
  std::string run;                 // name
  int repeat = 1;                  // of its configuration
  std::vector<std::string> files;  // of all its ranks
  RunSettings settings;            // with an origin for each that is known; ranks and steps may be left to the files
  std::string kernels;             // TOML of kernel classes (kernel_classes.h); empty: none
};

struct ImportReport {
  std::string attempt;  // its folder
  bool unchanged = false;
  int ranks = 0;
  int64_t steps = 0, events = 0;   // rows, of all ranks
  std::vector<std::string> notes;  // a line each
};

// Files that are not in the run's newest attempt make a new one, of that one's files and these. The settings of a run
// that is there are those of its attempts; `request.settings` may repeat them. Throws bad_input: what assemble_run
// throws, settings that contradict the run's, a missing offload or engine; Error(output).
ImportReport import_run(const ImportRequest& request);

// For the last line of an engine's script, and for an attempt whose job ended before it. Throws bad_input when the
// engine left nothing that can be read, or its files are not of this attempt.
ImportReport import_attempt(const std::string& directory, const std::string& kernels);

}  // namespace wansweep
