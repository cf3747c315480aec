#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/exit_codes.h"
#include "base/nearest_name.h"
#include "base/printable.h"
#include "base/standard_output.h"
#include "orchestrator/machines/stale.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/prediction_text.h"
#include "orchestrator/predict/schedule_text.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

// Finds a configuration by its name or by the name of one of its runs. Throws bad_input when there is none, or when it
// cannot run.
const PlannedConfiguration& configuration_named(const Plan& plan, const std::string& name) {
  std::vector<std::string_view> names;
  for (const PlannedConfiguration& c : plan.configurations) {
    names.push_back(c.name);
    bool found = c.name == name;
    for (int repeat = 1; repeat <= plan.repeats; ++repeat) found |= run_name(c, repeat) == name;
    if (!found) continue;
    if (!c.run) throw bad_input(fmt::format("{}: {}", c.name, c.problem));
    return c;
  }
  throw bad_input(fmt::format("{}: the sweep has no such run{}; wansweep plan {} shows them", printable(name),
                              did_you_mean(name, names), plan.file));
}

void print_predictions(const Plan& plan, const std::string& name) {
  const MachineFile machine = read_machine_to_predict(name);
  fmt::print("\n{}", predictions_as_text(machine, plan, predict_all(machine.machine, run_plans(plan))));
}

}  // namespace

void add_plan(CLI::App& app, Action& action) {
  struct Options {
    std::string jobs;
    bool json = false;
    std::string schedule;
    double step_seconds = 0;
    double link_rate = 0;
    std::string machine;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("plan", "Show the runs of a sweep, the memory and copies of each, and what is wrong with it");
  verb->add_option("JOBS", options->jobs, "the sweep, as TOML")->required();
  CLI::Option* json = verb->add_flag("--json", options->json, "print JSON: every configuration with all settings");
  CLI::Option* schedule =
      verb->add_option("--schedule", options->schedule,
                       "show the schedule of this run: which blocks stay on the device, and which are copied when");
  CLI::Option* seconds =
      verb->add_option("--step-seconds", options->step_seconds,
                       "seconds that a rank computes in a step; with --link-rate, predicts the time of the schedule")
          ->needs(schedule)
          ->check(number_above(0));
  CLI::Option* rate =
      verb->add_option("--link-rate", options->link_rate, "GB/s from host to device for each rank while all ranks copy")
          ->needs(seconds)
          ->check(number_above(0));
  seconds->needs(rate);
  verb->add_option("--machine", options->machine,
                   "predict each run's time on this machine: NAME of machines/NAME.toml, or a .toml file")
      ->excludes(schedule)
      ->excludes(json);
  verb->footer(
      "Exit code 2 when a configuration cannot run.\n\nExamples:\n  wansweep plan jobs/aces-offload.toml\n"
      "  wansweep plan jobs/h200-offload-4.toml --schedule RUN --step-seconds 1.5 --link-rate 33");
  verb->callback([options, &action] {
    action = [options] {
      const Plan plan = make_plan(read_sweep(options->jobs));
      if (!options->schedule.empty()) {
        const PlannedConfiguration& of = configuration_named(plan, options->schedule);
        std::optional<ScheduleRates> rates;
        if (options->link_rate > 0) rates = {options->step_seconds, options->link_rate * 1e9};
        fmt::print("{}", options->json ? schedule_as_json(of) : schedule_as_text(of, rates));
        flush_standard_output();
        return static_cast<int>(ExitCode::ok);
      }
      fmt::print("{}", options->json ? plan_as_json(plan) : plan_as_table(plan));
      if (!options->machine.empty()) print_predictions(plan, options->machine);
      flush_standard_output();
      refuse_problems(plan);
      return static_cast<int>(ExitCode::ok);
    };
  });
}

}  // namespace wansweep
