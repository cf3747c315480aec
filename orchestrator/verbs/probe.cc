// `wansweep probe` turns the shapes of a sweep into a few attempts of the worker's probe. The attempts are launched,
// judged and kept like all other attempts. Their records become the machine's file, which is written last, so that a
// probe that fails leaves the file as it was. A machine's file that is there already is replaced only when the user
// says so, and only the one that was there when the probe began: another probe may end meanwhile.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/shell_quote.h"
#include "base/standard_error.h"
#include "orchestrator/launch/local_launcher.h"
#include "orchestrator/machines/from_probe.h"
#include "orchestrator/machines/machine_file.h"
#include "orchestrator/machines/stale.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/probe/probe_plan.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/job_wait.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/submit_options.h"
#include "orchestrator/verbs/verbs.h"
#include "schema/probe/request.h"
#include "schema/version.h"
#include "slurm/profile.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr double least_seconds = 1;
constexpr int64_t seconds_to_start = 120;  // for loading modules and libraries, and starting MPI
constexpr double overrun = 1.5;            // factor on a probe's seconds: its last measurement is not cut short

struct ProbeArguments {
  std::string jobs_file;
  std::vector<int64_t> ranks;
  std::string machine;
  std::string output;
  bool replace = false;  // the file of an earlier probe
  std::string cluster, account;
  std::string directory;
  double seconds = default_probe_seconds;
  WorkerPrograms programs;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "this-machine";
  const std::string whole(name.data());
  return whole.substr(0, whole.find('.'));
}

std::string machine_name(const ProbeArguments& arguments) {
  const std::string name = !arguments.machine.empty()   ? arguments.machine
                           : !arguments.cluster.empty() ? fs::path(arguments.cluster).stem().string()
                                                        : host_name();
  if (name.find('/') != std::string::npos) {
    throw bad_input(fmt::format("--machine is {}; it is a name, and -o the file's path", name));
  }
  return name;
}

// Checks, before minutes are spent on measuring, that the machine's file can be written afterwards. A file that a
// person wrote is not replaced, and that of an earlier probe only when `replace` says so. Returns the text of the file
// to replace; nullopt: there is none.
std::optional<std::string> check_output(const std::string& file, const std::string& name, bool replace) {
  const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : ".";
  make_directories(folder.string());
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(ExitCode::output, fmt::format("{}: cannot write there ({})", folder.string(), error_text(errno)));
  }
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::nullopt;
  std::string text = read_text(file);
  const Machine there = parse_machine(text, file);
  switch (there.source) {
    case MachineSource::facts:
      throw bad_input(
          fmt::format("{}: holds facts that a person wrote down of {}; give another --machine, or -o", file, name));
    case MachineSource::probe:
      break;
  }
  if (!replace) {
    throw bad_input(
        fmt::format("{}: holds what was measured on {} at {}; --replace measures it again, and another "
                    "--machine, or -o, keeps both",
                    file, there.measured_on, there.measured_at));
  }
  fmt::print("{} of {} is replaced\n", printable(file), there.measured_at);
  for (const std::string& reason : stale_reasons(there, see_this_machine(), version)) {
    fmt::print("  it is stale: {}\n", printable(reason));
  }
  return text;
}

// A time as part of a file's name.
std::string time_for_names() {
  std::string time = timestamp_now();
  std::erase(time, ':');
  return time;
}

// Writes the machine's file, and returns its name. A file that was not there when the probe began, or had another text
// than `before`, stays, and the machine goes into a new file beside it.
std::string write_machine(const std::string& file, const std::optional<std::string>& before, const Machine& machine) {
  const std::string text = machine_text(machine);
  const std::optional<std::string> now = read_text_if_there(file);
  if (now ? now == before : write_file_once(file, text)) {
    if (now) write_output_file(file, text);
    return file;
  }
  const std::string beside =
      (fs::path(file).parent_path() / fmt::format("{}-{}.toml", fs::path(file).stem().string(), time_for_names()))
          .string();
  print_error("wansweep: {} was written while this probe measured, and stays as it is\n", printable(file));
  write_output_file(beside, text);
  return beside;
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

// Runs the probes on this machine. Returns the exit code when not all of them succeeded; nullopt: all did.
std::optional<int> run_here(const Sweep& sweep, const Plan& probes, const ProbeArguments& arguments) {
  create_sweep_directory(arguments.directory);
  const SweepLock lock(arguments.directory);
  write_sweep_record(arguments.directory, sweep, probes);
  LaunchOptions launch;
  launch.directory = arguments.directory;
  launch.programs = arguments.programs;
  const LaunchSummary summary = launch_locally(sweep, probes, launch);
  if (summary.interrupted) return interrupted_exit;
  return summary.completed == probes.runs() ? std::nullopt : std::optional(static_cast<int>(ExitCode::incomplete));
}

std::optional<int> run_in_slurm(const Sweep& sweep, const Plan& probes, const ProbeArguments& arguments) {
  SubmitArguments submit;
  submit.jobs_file = arguments.jobs_file;
  submit.cluster = arguments.cluster;
  submit.account = arguments.account;
  submit.directory = arguments.directory;
  submit.worker = arguments.programs.worker;
  const ClusterProfile profile = read_profile(arguments.cluster);
  // Slurm signals the job signal_before_end seconds before its time limit, so these seconds come on top.
  submit.time =
      format_duration(profile.signal_before_end + seconds_to_start + static_cast<int64_t>(overrun * arguments.seconds));
  const PreparedSubmission prepared = prepare_submission(submit, sweep, probes);
  const std::string& directory = prepared.options.directory;
  for (const std::string& line : submit_arrays(prepared.arrays, prepared.sweep, directory, false).lines) {
    fmt::print("{}\n", printable(line));
  }
  bool all = true;
  for (const auto& [run, attempt] : wait_for_jobs(directory)) {
    if (is_done(attempt)) continue;
    all = false;
    fmt::print("failed: {}: {}\n", name_of(attempt.state->end), printable(attempt.state->line));
  }
  return all ? std::nullopt : std::optional(static_cast<int>(ExitCode::incomplete));
}

// Prints a line for each reason, with all that was not measured for that reason, each thing once.
void print_left_out(const std::vector<ProbeRecord>& records) {
  for (const ProbeRecord& record : records) {
    std::map<std::string, std::set<ProbeWhat>> by_reason;
    for (const NotMeasured& missing : record.not_measured) by_reason[missing.why].insert(missing.what);
    for (const auto& [why, what] : by_reason) {
      std::vector<std::string_view> names;
      for (const ProbeWhat each : what) names.push_back(name_of(each));
      fmt::print("not measured on {} ranks: some of {}: {}\n", record.ranks, fmt::join(names, ", "), printable(why));
    }
  }
}

int probe(ProbeArguments& arguments) {
  Sweep sweep = read_sweep(arguments.jobs_file);
  const Plan jobs = make_plan(sweep);
  refuse_problems(jobs);
  const Plan probes = plan_probe(jobs, arguments.ranks, arguments.seconds);
  const std::string name = machine_name(arguments);
  const std::string file = arguments.output.empty() ? fmt::format("machines/{}.toml", name) : arguments.output;
  const std::optional<std::string> before = check_output(file, name, arguments.replace);
  if (arguments.directory.empty()) {
    arguments.directory = fmt::format("out/probe-{}-{}", name, time_for_names());
  }
  arguments.directory = absolute(arguments.directory);
  sweep.name = probes.sweep;
  const std::optional<int> failed =
      arguments.cluster.empty() ? run_here(sweep, probes, arguments) : run_in_slurm(sweep, probes, arguments);
  if (failed) {
    fmt::print("{} is not written; what the worker said: wansweep status {}\n", printable(file),
               shell_word(arguments.directory));
    return *failed;
  }
  const std::vector<ProbeRecord> records = read_probe_records(arguments.directory, probes);
  print_left_out(records);
  const std::string written = write_machine(file, before, machine_from(records, name));
  fmt::print("{}: machine {} as it was measured now\n", printable(written), printable(name));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_probe(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ProbeArguments>();
  arguments->programs.worker = worker_beside_this_program();
  CLI::App* verb = app.add_subcommand(
      "probe", "Measure for a minute or two how fast this machine does a sweep's work, for predict and choose");
  verb->add_option("JOBS", arguments->jobs_file,
                   "the sweep, as TOML: the shapes of its runs are measured, each once, whatever their offload")
      ->required();
  verb->add_option("--ranks", arguments->ranks, "only runs on so many ranks: 4 or 4,6 (default: all of the sweep)")
      ->delimiter(',');
  verb->add_option("--machine", arguments->machine, "what to call it (default: the host's name, or the cluster's)");
  verb->add_option("-o,--output", arguments->output, "the file to write (default: machines/NAME.toml)");
  verb->add_flag("--replace", arguments->replace,
                 "replace the file of an earlier probe; never one that a person wrote");
  verb->add_option(
          "--seconds", arguments->seconds,
          "that all measuring may take, shared out over the shapes (default 90); what there is no time for is\n"
          "said to be not measured")
      ->check(number_from(least_seconds, most_probe_seconds));
  verb->add_option("--cluster", arguments->cluster, "as a Slurm job: NAME of slurm/NAME.toml, or a .toml file");
  verb->add_option("--account", arguments->account, "with --cluster: the account to charge (default: the profile's)");
  verb->add_option("--dir", arguments->directory, "where the probe's records stay (default: a new one in out/)");
  verb->add_option("--worker", arguments->programs.worker, "wansweep-worker (default: the one beside wansweep)");
  verb->add_option("--mpirun", arguments->programs.mpirun, "mpirun (default: the one in PATH)");
  verb->footer(
      "A GPU that others use is refused. Exit code 17 when the probe failed (no file is written then), 2 for bad "
      "input\n"
      "and for a file that is there without --replace, 130 after Ctrl-C.\n\n"
      "Example:\n  wansweep probe jobs/demo.toml --machine laptop --seconds 30");
  verb->callback([arguments, &action] { action = [arguments] { return probe(*arguments); }; });
}

}  // namespace wansweep
