#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/exit_codes.h"
#include "base/standard_output.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {

void add_plan(CLI::App& app, Action& action) {
  struct Options {
    std::string jobs;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("plan", "Show the runs of a sweep, what each takes, and what is wrong with it");
  verb->add_option("JOBS", options->jobs, "the sweep, as TOML")->required();
  verb->add_flag("--json", options->json, "for programs: every configuration with its whole spec");
  verb->footer("Exit code 2 when a configuration cannot run.\n\nExample:\n  wansweep plan jobs/aces-offload.toml");
  verb->callback([options, &action] {
    action = [options] {
      const Plan plan = make_plan(read_sweep(options->jobs));
      fmt::print("{}", options->json ? plan_as_json(plan) : plan_as_table(plan));
      flush_standard_output();
      refuse_problems(plan);
      return static_cast<int>(ExitCode::ok);
    };
  });
}

}  // namespace wansweep
