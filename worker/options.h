// The worker's command line: a spec file, and a flag for every setting of it, which overrides the file.
#pragma once

#include <optional>
#include <string>

#include "schema/run_settings.h"

namespace wansweep {

struct WorkerOptions {
  RunSettings spec;
  std::string spec_file;  // where the settings come from; empty: flags alone
  // What the orchestrator planned for these settings ("plan" in the spec's file), as JSON text. Empty: nothing was
  // planned, or a flag changed the settings since.
  std::string planned;
  bool quiet = false;  // nothing on standard output
  // What to measure in place of running the loop ("probe" in the spec's file, or --probe), as JSON text. Empty:
  // nothing.
  std::string probe;
  std::string out;  // directory for traces and results
};

// nullopt when help or the version was asked for; `text` then holds it. Throws bad_input.
std::optional<WorkerOptions> read_options(int argc, char** argv, std::string* text);

}  // namespace wansweep
