// The job is a sweep of one run, submitted and judged like any other, so that its result holds for other sweeps. It
// stays in its directory, where `wansweep status` and `wansweep logs` can show more.

#include "orchestrator/verbs/cluster_job.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/share_folder.h"
#include "base/shell_quote.h"
#include "orchestrator/verbs/job_wait.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t seconds_of_start = 120;  // modules, MPI; there are no weights to load
constexpr int64_t seconds_of_work = 60;

// The tiny model's configuration, installed or in the source tree.
std::string tiny_model() {
  const fs::path share = share_folder();
  for (const char* place : {"models/tiny-wan2.2-t2v", "tests/reference/tiny-wan2.2-t2v"}) {
    std::error_code failed;
    if (fs::is_directory(share / place, failed)) return (share / place).string();
  }
  throw bad_input(fmt::format("{}: models/tiny-wan2.2-t2v is missing; the installation is incomplete", share.string()));
}

std::string sweep_text(const ClusterProfile& profile) {
  return fmt::format(
      "# Made by `wansweep cluster check {} --job`.\n[sweep]\nname = \"cluster-check\"\n\n[base]\nmodel = {}\n"
      "weights = \"random:1\"\nsize = \"64x64\"\nframes = 5\nsteps = 2\nbackend = \"{}\"\nallow_nonfinite = true\n\n"
      "[matrix]\nranks = [{}]\n",
      printable(profile.name), Json(tiny_model()).dump(), profile.gres.empty() ? "cpu" : "cuda",
      std::min<int64_t>(2, profile.gpus_per_node));
}

// The distinct values in the ranks' environments.
std::string seen(const std::vector<Json>& environments, const Json::json_pointer& what) {
  std::set<std::string> values;
  for (const Json& environment : environments) {
    const Json& value = environment.contains(what) ? environment.at(what) : Json("unknown");
    values.insert(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return printable(fmt::format("{}", fmt::join(values, ", ")));
}

void print_what_ran(const Attempt& attempt, int64_t ranks) {
  std::vector<Json> environments;
  for (int rank = 0; rank < ranks; ++rank) {
    const TraceFile trace = read_trace(attempt.directory + "/" + trace_file_name(rank));
    environments.push_back(Json::parse(trace.environment_json, nullptr, false));
  }
  fmt::print("ranks: {} started and found each other, on {}\n", ranks, seen(environments, "/host"_json_pointer));
  fmt::print("MPI: {}\n", seen(environments, "/mpi"_json_pointer));
  fmt::print("device: {} ({})\n", seen(environments, "/device/name"_json_pointer),
             seen(environments, "/device/backend"_json_pointer));
  fmt::print("HDF5: {}; the traces of all ranks are complete\n", seen(environments, "/hdf5"_json_pointer));
}

}  // namespace

int check_by_a_job(SubmitArguments arguments) {
  const ClusterProfile profile = read_profile(arguments.cluster);
  if (arguments.directory.empty()) {
    std::string time = timestamp_now();
    std::erase(time, ':');
    arguments.directory = fmt::format("out/cluster-check-{}-{}", profile.name, time);
  }
  make_directories(arguments.directory);
  arguments.jobs_file = arguments.directory + "/check.toml";
  write_file_atomically(arguments.jobs_file, sweep_text(profile));
  // The time limit must be above the profile's signal_before_end, or Slurm would signal the job at once.
  arguments.time = format_duration(profile.signal_before_end + seconds_of_start + seconds_of_work);
  const PreparedSubmission prepared = prepare_submission(arguments);
  const std::string& directory = prepared.options.directory;
  for (const std::string& line : submit_arrays(prepared.arrays, prepared.sweep, directory, false).lines) {
    fmt::print("{}\n", printable(line));
  }
  const Attempt attempt = wait_for_jobs(directory).begin()->second;  // the only one
  if (is_done(attempt)) {
    print_what_ran(attempt, prepared.plan.configurations.at(0).spec.ranks);
    fmt::print("{}: the worker starts with the modules of the profile\n", printable(profile.file));
    return static_cast<int>(ExitCode::ok);
  }
  fmt::print("failed: {}: {}\nnext: wansweep logs {} --dir {}\n", name_of(attempt.state->end),
             printable(attempt.state->line), shell_word(attempt.run), shell_word(arguments.directory));
  return static_cast<int>(ExitCode::incomplete);
}

}  // namespace wansweep
