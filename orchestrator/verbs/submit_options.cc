// What can be wrong with a submission is found before its directory is made: the profile, the places of the engines,
// the worker or the image, and what each run asks for.

#include "orchestrator/verbs/submit_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/standard_error.h"
#include "orchestrator/cluster/settle.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/launch/local_launcher.h"
#include "orchestrator/machines/stale.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/number_checks.h"

namespace wansweep {
namespace {

constexpr int max_running_jobs = 100'000;

// Throws bad_input when a configuration asks for more than a node or job of the cluster can have.
void check_requests(const Plan& plan, const SubmitOptions& options) {
  for (const PlannedConfiguration& configuration : plan.configurations) {
    request_of(configuration, options);
  }
}

// A node finds an engine by the profile. Throws bad_input when nothing says where it is.
void check_engine_of(const ClusterProfile& profile, EngineKind engine) {
  const bool sglang = engine == EngineKind::sglang;
  const std::string& program = sglang ? profile.sglang : profile.engine_python;
  const bool is_path = program.find('/') != std::string::npos;
  if (is_path || !profile.engine_setup.empty() || !profile.engine_container.empty()) return;
  if (!find_program(program).empty()) return;
  throw bad_input(fmt::format(
      "{}: does not say how a node finds engine {}, and {} is not in PATH here: set engine_setup to the shell's lines "
      "that activate its environment, engine_container to the words that start its container, or {} to its path",
      profile.file, name_of(engine), program, sglang ? "sglang" : "engine_python"));
}

void check_engines(const Sweep& sweep, const ClusterProfile& profile, bool quiet) {
  bool any = false;
  for (const Configuration& configuration : sweep.configurations) {
    if (!has_script(configuration.spec.engine)) continue;
    check_engine_of(profile, configuration.spec.engine);
    any = true;
  }
  if (quiet || !any || !profile.account.empty()) return;
  print_error(
      "wansweep: note: {}: account is not set, so Slurm charges your default account, or refuses the jobs "
      "where there is none; --account names one\n",
      printable(profile.file));
}

}  // namespace

void add_submit_options(CLI::App& verb, SubmitArguments& arguments) {
  arguments.worker = worker_beside_this_program();
  verb.add_option("JOBS", arguments.jobs_file, "the sweep, as TOML")->required();
  verb.add_option("--cluster", arguments.cluster, "name of a profile (NAME of slurm/NAME.toml), or a .toml file")
      ->required();
  verb.add_option("--account", arguments.account, "the account to charge (default: the profile's)");
  verb.add_option("--time", arguments.time, "time limit of each run, H:MM:SS (default: predicted, with a margin)");
  verb.add_option(
      "--machine", arguments.machine,
      "predict times on this machine: NAME of machines/NAME.toml, or a .toml file (default: the profile's)");
  verb.add_option(
          "--max-running", arguments.max_running,
          "limit how many runs of the sweep Slurm runs at once, over all its job arrays, earlier submissions of\n"
          "the same directory included (default: no limit)")
      ->check(whole_number(1, max_running_jobs));
  verb.add_option("--dir", arguments.directory, "the sweep's directory (default out/<name of the sweep>)");
  verb.add_option("--worker", arguments.worker,
                  "path of wansweep-worker (default: the one beside wansweep, or the image's)");
}

SubmitOptions submit_options(const SubmitArguments& arguments, const Sweep& sweep) {
  SubmitOptions options;
  options.profile = read_profile(arguments.cluster);
  if (!arguments.account.empty()) {
    check_slurm_word(arguments.account, "--account", "command line");
    options.profile.account = arguments.account;
  }
  check_engines(sweep, options.profile, arguments.quiet);
  if (!arguments.time.empty()) {
    const int64_t seconds = parse_duration(arguments.time);
    if (seconds <= 0) {
      throw bad_input(fmt::format("--time is {}; a duration such as 1:30:00 is needed", arguments.time));
    }
    options.seconds = seconds;
  }
  options.max_running = arguments.max_running;
  options.directory = std::filesystem::absolute(arguments.directory.empty() ? "out/" + sweep.name : arguments.directory)
                          .lexically_normal()
                          .string();
  // The directory is part of the name of a job's output file.
  for (const char special : {'%', '\\'}) {
    if (options.directory.find(special) == std::string::npos) continue;
    throw bad_input(fmt::format(
        "{}: the name holds {}, which Slurm would replace in the name of a job's output; give another --dir",
        options.directory, special));
  }
  options.worker = arguments.worker;
  if (const std::string& image = options.profile.container; !image.empty()) {
    if (arguments.worker == worker_beside_this_program()) options.worker = worker_of_image;
    std::error_code failed;
    if (image.find("://") == std::string::npos && !std::filesystem::exists(image, failed)) {
      throw bad_input(fmt::format(
          "{}: container is {}, which does not exist; tools/container/wansweep.def describes how to make the image",
          options.profile.file, image));
    }
    return options;
  }
  const bool needed =
      std::any_of(sweep.configurations.begin(), sweep.configurations.end(),
                  [](const Configuration& configuration) { return !has_script(configuration.spec.engine); });
  const std::string found = find_program(options.worker);
  if (needed && found.empty()) {
    throw bad_input(fmt::format("{}: no such worker; build it with `make build`, or give --worker", arguments.worker));
  }
  if (!found.empty()) options.worker = found;
  return options;
}

std::optional<PredictionRecord> predict_times(const SubmitArguments& arguments, const Plan& plan,
                                              SubmitOptions& options) {
  const std::string& name = arguments.machine.empty() ? options.profile.machine : arguments.machine;
  const bool is_probe = std::ranges::any_of(plan.configurations, [](const auto& c) { return !c.probe.empty(); });
  if (name.empty() || is_probe) return std::nullopt;
  const MachineFile machine = read_machine_to_predict(name);
  const std::vector<const RunPlan*> runs = run_plans(plan);
  const std::vector<Prediction> predictions = predict_all(machine.machine, runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    const Prediction& p = predictions[i];
    if (runs[i] == nullptr || !p.unknown.empty()) continue;
    options.predicted_seconds[plan.configurations[i].hash] =
        p.store_seconds + p.of(Quantity::first_load).high + p.of(Quantity::total).high;
  }
  return record_of(machine, plan, predictions);
}

PreparedSubmission prepare_submission(const SubmitArguments& arguments) {
  Sweep sweep = read_sweep(arguments.jobs_file);
  Plan plan = make_plan(sweep);
  refuse_problems(plan);
  return prepare_submission(arguments, std::move(sweep), std::move(plan));
}

PreparedSubmission prepare_submission(const SubmitArguments& arguments, Sweep sweep, Plan planned) {
  PreparedSubmission prepared;
  prepared.sweep = std::move(sweep);
  Plan& plan = prepared.plan = std::move(planned);
  SubmitOptions& options = prepared.options = submit_options(arguments, prepared.sweep);
  const std::optional<PredictionRecord> predictions = predict_times(arguments, plan, options);
  check_requests(plan, options);
  create_sweep_directory(options.directory);
  prepared.lock = std::make_unique<SweepLock>(options.directory);
  keep_recorded_names(options.directory, plan);
  write_sweep_record(options.directory, prepared.sweep, plan);
  if (predictions) write_predictions(options.directory, *predictions);
  for (const std::string& line : settle_submissions(options.directory)) {
    fmt::print("{}\n", printable(line));
  }
  const std::vector<PlannedRun> runs = runs_to_submit(options.directory, plan);
  prepared.runs = runs.size();
  prepared.arrays = plan_arrays(runs, options);
  if (runs.size() < plan.runs() && !arguments.quiet) {
    fmt::print("{}: {} of {} runs are submitted, finished, or left alone\n", printable(options.directory),
               plan.runs() - runs.size(), plan.runs());
  }
  return prepared;
}

}  // namespace wansweep
