#include "orchestrator/rerun/retry_failed.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text_table.h"
#include "orchestrator/store/lineage.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/sweep_directory.h"

namespace wansweep {
namespace {

const char* advice(const ExitCodeInfo* info) {
  if (info == nullptr) return "another try may help";
  switch (info->retry) {
    case Retry::never:
      return "fails again unless its cause was removed";
    case Retry::with_change:
      return "needs a change: more memory or time";
    case Retry::elsewhere:
      return "needs another node";
    case Retry::as_is:
      break;
  }
  return "another try may help";
}

}  // namespace

FailedRuns find_failed_runs(const std::string& directory, Launcher launcher) {
  const SweepRecord record = read_sweep_record(directory);
  const std::map<std::string, RunSettings> specs = read_sweep_specs(directory);
  const AttemptFolder attempts(directory);
  std::set<std::string> superseded;
  for (const Lineage& lineage : read_lineage_of_old(directory)) {
    for (const ReplacedRun& run : lineage.runs) superseded.insert(run.before.run);
  }
  FailedRuns failed;
  failed.sweep.name = failed.plan.sweep = record.name;
  failed.sweep.file = failed.plan.file = record.file;
  for (const ListedRun& run : record.runs) {
    const Attempt* newest = attempts.newest_of(run.run);
    if (newest == nullptr || attempts.block_of(run.run) != nullptr || superseded.contains(run.run)) continue;
    const Attempt& attempt = *newest;
    if (!attempt.state || attempt.state->end == AttemptEnd::cancelled || was_withdrawn(attempt) || is_done(attempt))
      continue;
    if (attempt.launcher != launcher) continue;
    failed.attempts.emplace(run.run, attempt);
    failed.plan.repeats = std::max(failed.plan.repeats, run.repeat);
    const auto known = std::find_if(failed.plan.configurations.begin(), failed.plan.configurations.end(),
                                    [&](const PlannedConfiguration& c) { return c.hash == run.config; });
    if (known != failed.plan.configurations.end()) continue;
    const auto spec = specs.find(run.config);
    if (spec == specs.end()) {
      throw bad_input(fmt::format("{}/sweep.json: the settings of run {} are missing", directory, run.run));
    }
    PlannedConfiguration& planned = failed.plan.configurations.emplace_back();
    planned.spec = spec->second;
    planned.run = make_run_plan(planned.spec);
    planned.hash = run.config;
    planned.name = configuration_of(run);
  }
  return failed;
}

std::string failure_of(const Attempt& attempt) {
  if (!attempt.state->line.empty()) return attempt.state->line;
  return completion_problem(attempt.directory).value_or(std::string(name_of(attempt.state->end)));
}

std::string failed_runs_as_text(const FailedRuns& failed) {
  TextTable table({{"run"}, {"attempt", Align::right}, {"why"}, {"retry"}});
  for (const auto& [run, attempt] : failed.attempts) {
    table.add_row({run, fmt::format("{}", attempt.number), failure_of(attempt), advice(worker_exit_meaning(attempt))});
  }
  return table.to_string() + '\n';
}

}  // namespace wansweep
