// The worker's command line: a spec file, and a flag for every setting, which overrides the file.
#pragma once

#include <optional>
#include <string>

#include "schema/run_settings.h"

namespace wansweep {

struct WorkerOptions {
  RunSettings spec;
  std::string spec_file;  // the file of settings; empty: the settings come from flags alone
  // The orchestrator's plan for these settings ("plan" in the spec file), as JSON text. Empty when there is none, or
  // when a flag has changed the settings.
  std::string planned;
  bool quiet = false;  // nothing on standard output
  // What to measure in place of running the loop ("probe" in the spec's file, or --probe), as JSON text. Empty:
  // nothing.
  std::string probe;
  std::string out;  // directory for traces and results
};

// nullopt for --help and --version; `text` is then what to print. Throws bad_input.
std::optional<WorkerOptions> read_options(int argc, char** argv, std::string* text);

}  // namespace wansweep
