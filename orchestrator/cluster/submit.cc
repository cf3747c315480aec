// The order of the steps makes a crash harmless: first the attempts are written and synced, then the intent that names
// them, then sbatch runs, and then the outcome is written. After a crash at any point, settle.h finds out from these
// files and from Slurm whether the array exists.

#include "orchestrator/cluster/submit.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "orchestrator/cluster/settle.h"
#include "orchestrator/cluster/shape.h"
#include "orchestrator/cluster/throttle.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"
#include "slurm/client.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

// " on cluster a" when the profile names a cluster.
std::string on_cluster(const ClusterProfile& profile) {
  return profile.cluster.empty() ? "" : " on cluster " + profile.cluster;
}

EnginePlaces places_of(const ClusterProfile& profile) {
  EnginePlaces places = default_engine_places();
  places.sglang = profile.sglang;
  places.python = profile.engine_python;
  places.setup = profile.engine_setup;
  places.container = profile.engine_container;
  return places;
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

// A worker in the image is given by its name there, a worker on this host by its path.
std::string worker_path(const PlannedArray& array) {
  return array.profile.container.empty() ? absolute(array.worker) : array.worker;
}

// A worker in an image gets no digest: reading gigabytes for it would take longer than the job.
std::string digest_of_worker(const PlannedArray& array) {
  if (!array.profile.container.empty()) return "";
  try {
    return sha256_file(array.worker);
  } catch (const Error&) {  // the user may be allowed to run the file, but not to read it
    return "";
  }
}

// The folders that the runs read and write.
std::vector<std::string> folders_of(const PlannedArray& array, const JobScript& job) {
  std::set<std::string> folders{job.attempts, job.submission};
  for (const PlannedRun& run : array.runs) {
    const RunSettings& settings = run.configuration->spec;
    folders.insert(settings.model);
    if (!settings.inputs.empty()) folders.insert(fs::path(settings.inputs).parent_path().string());
  }
  return {folders.begin(), folders.end()};
}

JobScript script_of(const PlannedArray& array, const Sweep& sweep, const std::string& directory,
                    const std::string& token) {
  JobScript job;
  job.token = token;
  job.sweep = sweep.name;
  job.submission = absolute(directory + "/submissions/" + token);
  job.attempts = absolute(directory + "/attempts");
  job.worker = worker_path(array);
  job.worker_sha256 = digest_of_worker(array);
  job.binds = folders_of(array, job);
  job.engine_scripts = std::any_of(array.runs.begin(), array.runs.end(),
                                   [](const PlannedRun& run) { return has_script(run.configuration->spec.engine); });
  job.count = static_cast<int>(array.runs.size());
  job.running = array.running;
  job.shape = array.shape;
  return job;
}

// `jobs` has the job ids of the arrays before this one in the plan.
std::vector<std::string> jobs_before(const PlannedArray& array, const std::vector<int64_t>& jobs) {
  std::vector<std::string> before;
  for (const int64_t job : array.after_jobs) before.push_back(std::to_string(job));
  if (array.after) before.push_back(std::to_string(jobs[*array.after]));
  return before;
}

Submission intend(const PlannedArray& array, const Sweep& sweep, AttemptFolder& attempts, const std::string& directory,
                  bool by_hand, const std::vector<int64_t>& jobs, const std::function<void()>& written) {
  Submission submission;
  submission.token = make_token(sweep.name);
  submission.profile = array.profile;
  submission.shape = array.shape;
  submission.running = array.running;
  submission.max_running = array.max_running;
  submission.created_at = seconds_now();
  submission.by_hand = by_hand;
  JobScript job = script_of(array, sweep, directory, submission.token);
  const EnginePlaces places = places_of(array.profile);
  std::vector<Attempt> created;
  for (const PlannedRun& run : array.runs) {
    const SubmissionPlace place{submission.token, static_cast<int>(submission.members.size()), job.worker_sha256};
    const Attempt& attempt = created.emplace_back(attempts.create(sweep.name, *run.configuration, run.repeat, place));
    if (has_script(run.configuration->spec.engine)) {
      write_engine_script(*run.configuration->run, attempt.run, attempt.directory, places);
    }
    submission.members.push_back(fs::path(attempt.directory).filename().string());
    written();
  }
  attempts.sync(created);
  job.after = jobs_before(array, jobs);
  submission.directory = job.submission;
  submission.worker = job.worker;
  write_intent(submission, render_job_script(job, array.profile));
  return submission;
}

}  // namespace

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

ResourceShape request_of(const PlannedConfiguration& configuration, const SubmitOptions& options) {
  const auto found = options.predicted_seconds.find(configuration.hash);
  const bool known = found != options.predicted_seconds.end();
  return shape_of(configuration, options.profile, options.seconds, known ? std::optional(found->second) : std::nullopt);
}

std::vector<PlannedArray> plan_arrays(const std::vector<PlannedRun>& runs, const SubmitOptions& options) {
  std::map<ResourceShape, std::vector<PlannedRun>> by_shape;
  for (const PlannedRun& run : runs) by_shape[request_of(*run.configuration, options)].push_back(run);
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
  // Repeat by repeat, as in the local launcher, so that a machine that slows down with time slows all configurations.
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
                           bool by_hand, const ProgressSink& progress) {
  if (by_hand && std::any_of(arrays.begin(), arrays.end(), [](const PlannedArray& array) { return array.after; })) {
    throw bad_input(
        fmt::format("--max-running is {}, but {} arrays that are submitted by hand need at least 1 each; use `wansweep "
                    "submit`, which makes arrays wait for each other",
                    arrays[0].max_running, arrays.size()));
  }
  SubmitReport report;
  AttemptFolder attempts(directory);
  std::vector<int64_t> jobs;
  const size_t all = std::accumulate(arrays.begin(), arrays.end(), size_t{0},
                                     [](size_t sum, const PlannedArray& array) { return sum + array.runs.size(); });
  size_t written = 0;
  const auto say_written = [&] {
    if (progress) progress("writing down and submitting runs", ++written, all);
  };
  for (const PlannedArray& array : arrays) {
    Submission submission = intend(array, sweep, attempts, directory, by_hand, jobs, say_written);
    const std::string script = submission.directory + "/job.sh";
    report.runs += array.runs.size();
    if (by_hand) {
      report.lines.push_back(fmt::format("{} runs: {}", array.runs.size(), script));
      continue;
    }
    check_own_directory(submission.directory);
    const SubmitAnswer answer = SlurmClient(array.profile).submit(script, submission.directory);
    switch (answer.kind) {
      case SubmitAnswer::Kind::accepted:
        write_outcome(submission, {SubmissionState::submitted, answer.job_id, ""});
        jobs.push_back(answer.job_id);
        report.lines.push_back(fmt::format("job {}{}: {} runs, {} rank{}, {} node{}, {} MiB on each node, {}",
                                           answer.job_id, on_cluster(array.profile), array.runs.size(),
                                           array.shape.ranks, array.shape.ranks == 1 ? "" : "s", array.shape.nodes,
                                           array.shape.nodes == 1 ? "" : "s", array.shape.memory_per_node,
                                           format_duration(array.shape.seconds)));
        break;
      case SubmitAnswer::Kind::refused:
        write_outcome(submission, {SubmissionState::refused, 0, answer.message});
        withdraw_members(submission, directory, answer.message);
        throw bad_input(fmt::format("cluster {}: {}", array.profile.name, answer.message));
      case SubmitAnswer::Kind::unknown:
        throw Error(ExitCode::scheduler_unavailable,
                    fmt::format("cluster {}: {}; repeat the command later to find out whether Slurm has {}",
                                array.profile.name, answer.message, submission.token));
    }
  }
  return report;
}

}  // namespace wansweep
