#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/standard_output.h"
#include "base/units.h"
#include "orchestrator/machines/stale.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/fit.h"
#include "orchestrator/predict/prediction.h"
#include "orchestrator/predict/prediction_record.h"
#include "orchestrator/predict/prediction_text.h"
#include "orchestrator/store/query/table.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct PredictArguments {
  std::string jobs;
  std::string machine;
  std::string directory;  // sweep's directory to store predictions in; empty: they are not stored
  bool csv = false;
  bool json = false;
};

// Adds a cell: `value`, or NULL where it is not known. An if makes the cell, as GCC 12 warns of temporaries in ?:.
template <typename T>
void add_known(std::vector<Cell>& row, bool known, const T& value) {
  Cell& cell = row.emplace_back();
  if (known) cell = value;
}

// A table with a row for each configuration. Where there is no prediction, the cells are NULL, and column `unknown`
// says why.
Table table_of(const MachineFile& file, const Plan& plan, const std::vector<Prediction>& predictions) {
  Table table;
  table.columns = {"machine", "machine_digest", "configuration", "config", "ranks", "offload"};
  for (const Quantity quantity : values_of<Quantity>()) {
    for (const char* what : {"_s", "_low_s", "_high_s"}) table.columns.push_back(std::string(name_of(quantity)) + what);
  }
  for (const char* name : {"device_gib", "host_gib_per_node", "does_not_fit", "unknown"})
    table.columns.emplace_back(name);
  const MemoryLimits limits = limits_of(file.machine);
  for (size_t i = 0; i < predictions.size(); ++i) {
    const PlannedConfiguration& c = plan.configurations[i];
    const Prediction& p = predictions[i];
    std::vector<Cell> row{
        file.machine.name, file.digest, c.name, c.hash, c.spec.ranks, std::string(name_of(c.spec.offload))};
    const std::string unknown = c.run ? p.unknown : c.problem;
    for (const Estimate& e : p.seconds) {
      for (const double value : {e.value, e.low, e.high}) add_known(row, unknown.empty(), value);
    }
    add_known(row, c.run.has_value(), to_gib(p.device_bytes));
    add_known(row, c.run.has_value(), to_gib(p.host_bytes));
    const std::string lacks = c.run ? what_does_not_fit(p, limits) : "";
    add_known(row, !lacks.empty(), lacks);
    add_known(row, !unknown.empty(), unknown);
    table.rows.push_back(std::move(row));
  }
  return table;
}

int predict_sweep(const PredictArguments& options) {
  const MachineFile machine = read_machine_to_predict(options.machine);
  const Plan plan = make_plan(read_sweep(options.jobs));
  if (plan.problems() == plan.configurations.size()) refuse_problems(plan);  // nothing to show
  const std::vector<Prediction> predictions = predict_all(machine.machine, run_plans(plan));
  if (options.json) {
    fmt::print("{}", to_json(table_of(machine, plan, predictions)));
  } else if (options.csv) {
    fmt::print("{}", to_csv(table_of(machine, plan, predictions)));
  } else {
    fmt::print("{}", predictions_as_text(machine, plan, predictions));
  }
  flush_standard_output();
  if (!options.directory.empty()) {
    const PredictionRecord record = record_of(machine, plan, predictions);
    const std::optional<PredictionRecord> earlier = earlier_predictions(options.directory, record);
    const std::string file = write_predictions(options.directory, record);
    const std::string replaced = !earlier
                                     ? ""
                                     : fmt::format(", in place of the {} predictions of {} (wansweep {})",
                                                   earlier->predictions.size(), earlier->made_at, earlier->wansweep);
    print_error("wansweep: kept as {}{}; `gather` brings it beside what is measured\n", printable(file),
                printable(replaced));
  }
  refuse_problems(plan);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  auto options = std::make_shared<PredictArguments>();
  CLI::App* verb = app.add_subcommand("predict", "Predict what each run of a sweep would take on a machine");
  verb->add_option("JOBS", options->jobs, "the sweep, as TOML")->required();
  verb->add_option("--machine", options->machine,
                   "NAME of machines/NAME.toml, or a .toml file; `wansweep probe` makes one")
      ->required();
  verb->add_option("--dir", options->directory,
                   "keep the predictions in this directory of the sweep, for query prediction_error");
  CLI::Option* csv = verb->add_flag("--csv", options->csv, "as CSV (RFC 4180)");
  verb->add_flag("--json", options->json, "as a JSON list of objects")->excludes(csv);
  verb->footer(
      "Each time has an interval, from the spreads of the machine's numbers: 10 % to 90 %. Exit code 2 when a\n"
      "configuration cannot run.\n\n"
      "Examples:\n  wansweep predict jobs/aces-offload.toml --machine aces\n"
      "  wansweep predict jobs/demo.toml --machine machines/here.toml --dir out/demo");
  verb->callback([options, &action] { action = [options] { return predict_sweep(*options); }; });
}

}  // namespace wansweep
