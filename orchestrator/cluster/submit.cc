#include "orchestrator/cluster/submit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "base/error.h"
#include "orchestrator/cluster/throttle.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"
#include "slurm/client.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr double time_margin = 1.5;
constexpr double memory_margin = 1.25;
constexpr int64_t time_granule = 300;     // seconds: near times share an array
constexpr int64_t memory_granule = 1024;  // MiB
constexpr double mib = 1024.0 * 1024.0;

int64_t round_up(double value, int64_t granule) {
  return static_cast<int64_t>(std::ceil(value / static_cast<double>(granule))) * granule;
}

// Twice the weights for each token, and what attention adds to that: it equals them at some 36,000 tokens in a model
// that is 5120 wide, and narrower models are quick anyway. What does not stay on the device crosses the link in each
// forward.
double predicted_seconds(const PlannedConfiguration& c, const ClusterProfile& profile) {
  const RunSpec& spec = c.spec;
  const double value_bytes = spec.backend == BackendKind::cuda && spec.precision != Precision::fp32 ? 2 : 4;
  const auto weights = static_cast<double>(std::max(c.run->memory.host_weights, c.run->memory.device_weights));
  const auto tokens = static_cast<double>(c.run->tokens);
  const double forwards = 2.0 * static_cast<double>(spec.steps.value_or(1));
  const double flops = 2 * weights / value_bytes * tokens * (1 + tokens / 36000);
  const double compute = forwards * flops / (static_cast<double>(spec.ranks) * profile.teraflops_per_rank * 1e12);
  const double bandwidth = spec.link_bandwidth > 0 ? spec.link_bandwidth * 1e9 : 1e10;
  const double sharers = spec.link == LinkSharing::shared ? static_cast<double>(spec.ranks) : 1.0;
  const double passes = spec.offload == OffloadMode::resident ? 1 : spec.offload == OffloadMode::swap ? 3 : forwards;
  const double moved = static_cast<double>(c.run->memory.host_weights) * passes * sharers / bandwidth;
  return static_cast<double>(profile.startup_seconds) + compute + moved;
}

[[noreturn]] void refuse(const PlannedConfiguration& c, const ClusterProfile& profile, const std::string& what) {
  throw bad_input(fmt::format("{}: {} (cluster {}, {})", c.name, what, profile.name, profile.file));
}

void set_nodes(ResourceShape& shape, const PlannedConfiguration& c, const ClusterProfile& profile) {
  shape.ranks = c.spec.ranks;
  shape.nodes = (shape.ranks + profile.gpus_per_node - 1) / profile.gpus_per_node;
  while (shape.nodes < shape.ranks && shape.ranks % shape.nodes != 0) ++shape.nodes;  // the same number on each
  if (shape.nodes > profile.max_nodes) {
    refuse(c, profile,
           fmt::format("{} ranks need {} nodes of {} GPUs; max_nodes is {}", shape.ranks, shape.nodes,
                       profile.gpus_per_node, profile.max_nodes));
  }
  if (c.spec.backend == BackendKind::cuda) {
    if (profile.gres.empty()) refuse(c, profile, "backend cuda needs GPUs, and the profile has no gres");
    shape.gpus_per_node = c.spec.share_device ? 1 : shape.ranks / shape.nodes;
  }
  shape.cores_per_rank = std::max<int64_t>(1, profile.cores_per_node / profile.gpus_per_node);
}

void set_memory(ResourceShape& shape, const PlannedConfiguration& c, const SubmitOptions& options) {
  const int64_t on_a_node = shape.ranks / shape.nodes;  // set_nodes made it come out even
  const auto ranks = static_cast<double>(on_a_node);
  const auto host = static_cast<double>(c.run->memory.host_total());
  const auto device = c.spec.backend == BackendKind::cpu ? static_cast<double>(c.run->memory.device_total()) : 0.0;
  const double needed =
      ranks * ((host + device) / mib * memory_margin + static_cast<double>(options.profile.host_memory_per_rank));
  shape.memory_per_node = round_up(needed, memory_granule);
  const int64_t most = options.profile.memory_per_node;
  if (needed > static_cast<double>(most)) {
    refuse(c, options.profile,
           fmt::format("needs {} MiB of host memory a node; memory_per_node is {}", shape.memory_per_node, most));
  }
  shape.memory_per_node = std::min(shape.memory_per_node, most);
}

void set_time(ResourceShape& shape, const PlannedConfiguration& c, const SubmitOptions& options) {
  const ClusterProfile& profile = options.profile;
  if (options.seconds) {
    shape.seconds = *options.seconds;
  } else {
    const double predicted =
        predicted_seconds(c, profile) * time_margin + static_cast<double>(profile.signal_before_end);
    const double asked = std::max(predicted, static_cast<double>(profile.shortest_time));
    shape.seconds = asked > static_cast<double>(time_granule) ? round_up(asked, time_granule) : round_up(asked, 60);
  }
  if (shape.seconds > profile.time_limit) {
    refuse(c, profile,
           fmt::format("needs {} of time; time_limit is {}", format_duration(shape.seconds),
                       format_duration(profile.time_limit)));
  }
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

JobScript script_of(const PlannedArray& array, const Sweep& sweep, const std::string& directory,
                    const std::string& token) {
  JobScript job;
  job.token = token;
  job.sweep = sweep.name;
  job.submission = absolute(directory + "/submissions/" + token);
  job.attempts = absolute(directory + "/attempts");
  job.worker = absolute(array.worker);
  job.count = static_cast<int>(array.runs.size());
  job.running = array.running;
  job.shape = array.shape;
  return job;
}

// `jobs`: of the arrays before this one in the plan.
std::vector<std::string> jobs_before(const PlannedArray& array, const std::vector<int64_t>& jobs) {
  std::vector<std::string> before;
  for (const int64_t job : array.after_jobs) before.push_back(std::to_string(job));
  if (array.after) before.push_back(std::to_string(jobs[*array.after]));
  return before;
}

Submission intend(const PlannedArray& array, const Sweep& sweep, AttemptFolder& attempts, const std::string& directory,
                  bool by_hand, const std::vector<int64_t>& jobs) {
  Submission submission;
  submission.token = make_token(sweep.name);
  submission.profile = array.profile;
  submission.shape = array.shape;
  submission.running = array.running;
  submission.max_running = array.max_running;
  submission.created_at = seconds_now();
  submission.by_hand = by_hand;
  std::vector<Attempt> created;
  for (const PlannedRun& run : array.runs) {
    const SubmissionPlace place{submission.token, static_cast<int>(submission.members.size())};
    const Attempt& attempt = created.emplace_back(attempts.create(sweep.name, *run.configuration, run.repeat, place));
    submission.members.push_back(fs::path(attempt.directory).filename().string());
  }
  attempts.sync(created);
  JobScript job = script_of(array, sweep, directory, submission.token);
  job.after = jobs_before(array, jobs);
  submission.directory = job.submission;
  submission.worker = job.worker;
  write_intent(submission, render_job_script(job, array.profile));
  return submission;
}

void refuse_members(const Submission& submission, const std::string& directory, const std::string& line) {
  std::map<std::string, Attempt> newest = AttemptFolder(directory).newest();
  for (auto& [run, attempt] : newest) {
    if (attempt.submission != submission.token || attempt.state) continue;
    AttemptState state;
    state.end = AttemptEnd::withdrawn;
    state.ended_at = timestamp_now();
    state.line = line;
    write_state(attempt, state);
  }
}

}  // namespace

ResourceShape shape_of(const PlannedConfiguration& configuration, const SubmitOptions& options) {
  ResourceShape shape;
  set_nodes(shape, configuration, options.profile);
  set_memory(shape, configuration, options);
  set_time(shape, configuration, options);
  return shape;
}

std::vector<PlannedArray> split_at_array_limit(const PlannedArray& all) {
  const auto limit = static_cast<size_t>(all.profile.array_limit);
  std::vector<PlannedArray> parts;
  for (size_t begin = 0; begin < all.runs.size(); begin += limit) {
    const size_t end = std::min(begin + limit, all.runs.size());
    PlannedArray& part = parts.emplace_back(all);
    part.runs.assign(all.runs.begin() + static_cast<long>(begin), all.runs.begin() + static_cast<long>(end));
  }
  return parts;
}

std::vector<PlannedArray> plan_arrays(const std::vector<PlannedRun>& runs, const SubmitOptions& options) {
  std::map<ResourceShape, std::vector<PlannedRun>> by_shape;
  for (const PlannedRun& run : runs) by_shape[shape_of(*run.configuration, options)].push_back(run);
  std::vector<PlannedArray> arrays;
  for (auto& [shape, members] : by_shape) {
    PlannedArray all;
    all.shape = shape;
    all.profile = options.profile;
    all.worker = options.worker;
    all.runs = std::move(members);
    const std::vector<PlannedArray> parts = split_at_array_limit(all);
    arrays.insert(arrays.end(), parts.begin(), parts.end());
  }
  throttle_arrays(arrays, options.max_running, find_live_arrays(options.directory));
  return arrays;
}

std::string preview_script(const PlannedArray& array, const Sweep& sweep, const std::string& directory) {
  JobScript job = script_of(array, sweep, directory, "ws-TOKEN");
  for (const int64_t id : array.after_jobs) job.after.push_back(std::to_string(id));
  if (array.after) job.after.emplace_back("JOB");
  return render_job_script(job, array.profile);
}

std::vector<PlannedRun> runs_to_submit(const std::string& directory, const Plan& plan) {
  const AttemptFolder attempts(directory);
  std::vector<PlannedRun> runs;
  // Repeat by repeat, as the local launcher: what slows down with time then slows all configurations.
  for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
    for (const PlannedConfiguration& configuration : plan.configurations) {
      const std::string run = run_name(configuration, repeat);
      const Attempt* newest = attempts.newest_of(run);
      const bool wanted =
          newest == nullptr || was_withdrawn(*newest) || (newest->state && newest->state->end == AttemptEnd::cancelled);
      if (wanted && attempts.block_of(run) == nullptr) runs.push_back({&configuration, repeat});
    }
  }
  return runs;
}

SubmitReport submit_arrays(const std::vector<PlannedArray>& arrays, const Sweep& sweep, const std::string& directory,
                           bool by_hand) {
  if (by_hand && std::any_of(arrays.begin(), arrays.end(), [](const PlannedArray& array) { return array.after; })) {
    throw bad_input(
        fmt::format("--max-running is {}; {} arrays that are submitted by hand need one each, or `wansweep "
                    "submit`, which lets them wait for each other",
                    arrays[0].max_running, arrays.size()));
  }
  SubmitReport report;
  std::vector<int64_t> jobs;
  AttemptFolder attempts(directory);
  for (const PlannedArray& array : arrays) {
    Submission submission = intend(array, sweep, attempts, directory, by_hand, jobs);
    const std::string script = submission.directory + "/job.sh";
    report.runs += array.runs.size();
    if (by_hand) {
      report.lines.push_back(fmt::format("{} runs: {}", array.runs.size(), script));
      continue;
    }
    const SubmitAnswer answer = SlurmClient(array.profile.command_timeout).submit(script, submission.directory);
    switch (answer.kind) {
      case SubmitAnswer::Kind::accepted:
        write_outcome(submission, {"submitted", answer.job_id, ""});
        jobs.push_back(answer.job_id);
        report.lines.push_back(fmt::format("job {}: {} runs, {} rank{}, {} node{}, {} MiB a node, {}", answer.job_id,
                                           array.runs.size(), array.shape.ranks, array.shape.ranks == 1 ? "" : "s",
                                           array.shape.nodes, array.shape.nodes == 1 ? "" : "s",
                                           array.shape.memory_per_node, format_duration(array.shape.seconds)));
        break;
      case SubmitAnswer::Kind::refused:
        write_outcome(submission, {"refused", 0, answer.message});
        refuse_members(submission, directory, answer.message);
        throw bad_input(fmt::format("cluster {}: {}", array.profile.name, answer.message));
      case SubmitAnswer::Kind::unknown:
        throw Error(ExitCode::store_busy,
                    fmt::format("cluster {}: {}; the same command finds out later whether it has {}",
                                array.profile.name, answer.message, submission.token));
    }
  }
  return report;
}

}  // namespace wansweep
