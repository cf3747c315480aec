#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "orchestrator/verbs/submit_options.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

int generate(const SubmitArguments& arguments) {
  const PreparedSubmission prepared = prepare_submission(arguments);
  for (const std::string& line :
       submit_arrays(prepared.arrays, prepared.sweep, prepared.options.directory, true).lines) {
    fmt::print("{}\n", printable(line));
  }
  fmt::print("{} runs; submit a script with `sbatch`; `wansweep submit` replaces scripts that were not submitted\n",
             prepared.runs);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<SubmitArguments>();
  CLI::App* verb =
      app.add_subcommand("generate", "Write the job scripts of a sweep, to read them or to submit them by hand");
  add_submit_options(*verb, *arguments);
  verb->footer("Example:\n  wansweep generate jobs/aces-offload.toml --cluster aces");
  verb->callback([arguments, &action] { action = [arguments] { return generate(*arguments); }; });
}

}  // namespace wansweep
