// slurm/retry_policy.h decides how to retry. This file turns that into a request: the last attempt's request, times the
// allowed factors, on the cluster as its profile is now. A run whose request exceeds a limit is named and left out.

#include "orchestrator/cluster/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/json.h"
#include "base/text_table.h"
#include "orchestrator/cluster/job_end.h"
#include "orchestrator/cluster/poll_record.h"
#include "orchestrator/cluster/shape.h"
#include "orchestrator/cluster/throttle.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

// The exit code that the worker recorded, or else a code that only wansweep's programs use: mpirun also returns 1 when
// its daemon dies.
std::optional<int> exit_code_of(const Attempt& attempt) {
  const std::optional<int> code = worker_exit_code(attempt);
  const bool said_by_worker = std::filesystem::exists(attempt.directory + "/failure.json");
  return code == static_cast<int>(ExitCode::internal) && !said_by_worker ? std::nullopt : code;
}

// The nodes of the attempt, from Slurm's row, or else from the record of its job script.
std::string nodes_of(const Attempt& attempt) {
  std::string nodes = read_last_verdict(attempt.directory).memory.row.nodes;
  if (!nodes.empty()) return nodes;
  try {
    const auto job = read_json_object_if_there(attempt.directory + "/job.json");
    return job ? job->value("nodes", "") : "";
  } catch (const std::exception&) {
    return "";  // without them, no node is left out
  }
}

// Whether the job script failed in the profile's part (modules, environment), before the worker started.
bool failed_before_the_worker(const Attempt& attempt) {
  const auto there = [&](const char* name) {
    std::error_code ignored;
    return std::filesystem::exists(attempt.directory + name, ignored);
  };
  return attempt.state->end == AttemptEnd::failed && there("/job.json") && !there("/stderr.log") &&
         !there("/failure.json");
}

RetryDecision refuse(std::string why) { return {false, 1, 1, false, std::move(why)}; }

int64_t times(int64_t amount, double factor) {
  return static_cast<int64_t>(std::ceil(static_cast<double>(amount) * factor));
}

RetryDecision decide(const Attempt& attempt, const RetryGrants& grants) {
  if (failed_before_the_worker(attempt)) {
    if (!grants.profile)
      return refuse("the job failed before the worker started: give --cluster with a corrected profile");
    return {true, 1, 1, false, "retry with the corrected profile"};
  }
  return retry_policy(job_state_of(attempt.state->end), exit_code_of(attempt), grants.factors);
}

struct Retried {
  const Attempt* attempt;
  const PlannedConfiguration* configuration;
  const Submission* submission;
  RetryDecision decision;
  ResourceShape shape;
};

// The new request. Throws bad_input naming the limit when it exceeds one.
ResourceShape retried_shape(const Retried& retried, const RetryGrants& grants) {
  const Submission& before = *retried.submission;
  const ClusterProfile& profile = grants.profile ? *grants.profile : before.profile;
  ResourceShape shape = before.shape;
  if (grants.profile) {  // the new profile's nodes may have another size
    shape = shape_on_other_cluster(*retried.configuration, before.shape, before.profile, profile);
  }
  shape.seconds = times(shape.seconds, retried.decision.time_factor);
  if (shape.seconds > profile.time_limit) {
    throw bad_input(fmt::format("needs {} of time; time_limit is {} (cluster {})", format_duration(shape.seconds),
                                format_duration(profile.time_limit), profile.name));
  }
  shape.memory_per_node = times(shape.memory_per_node, retried.decision.memory_factor);
  if (shape.memory_per_node > profile.memory_per_node) {
    throw bad_input(fmt::format("needs {} MiB of host memory on each node; memory_per_node is {} (cluster {})",
                                shape.memory_per_node, profile.memory_per_node, profile.name));
  }
  return shape;
}

PlannedArray array_of(const Retried& retried, const std::set<std::string>& bad_nodes, const RetryGrants& grants) {
  const Submission& before = *retried.submission;
  PlannedArray array;
  array.shape = retried.shape;
  array.profile = grants.profile ? *grants.profile : before.profile;
  const bool into_image = before.profile.container.empty() && !array.profile.container.empty();
  array.worker = !grants.worker.empty() ? grants.worker : into_image ? worker_of_image : before.worker;
  std::set<std::string> exclude(array.profile.exclude.begin(), array.profile.exclude.end());
  exclude.insert(bad_nodes.begin(), bad_nodes.end());
  array.profile.exclude.assign(exclude.begin(), exclude.end());
  return array;
}

// Groups the runs that ask for the same resources; in the order of submission, repeat by repeat.
std::vector<PlannedArray> gather_arrays(std::vector<Retried> retried, const std::set<std::string>& bad_nodes,
                                        const RetryGrants& grants) {
  std::stable_sort(retried.begin(), retried.end(),
                   [](const Retried& a, const Retried& b) { return a.attempt->repeat < b.attempt->repeat; });
  std::map<std::tuple<std::string, std::string, ResourceShape>, PlannedArray> alike;
  for (const Retried& each : retried) {
    const PlannedArray array = array_of(each, bad_nodes, grants);
    const auto place = alike.try_emplace({profile_to_json(array.profile), array.worker, array.shape}, array).first;
    place->second.runs.push_back({each.configuration, each.attempt->repeat});
  }
  std::vector<PlannedArray> arrays;
  for (const auto& [key, all] : alike) {
    const std::vector<PlannedArray> parts = split_at_array_limit(all);
    arrays.insert(arrays.end(), parts.begin(), parts.end());
  }
  return arrays;
}

}  // namespace

SlurmRetry plan_slurm_retry(const FailedRuns& failed, const std::string& directory, const RetryGrants& grants) {
  const Submissions submissions = read_submissions(directory);
  TextTable table({{"run"}, {"attempt", Align::right}, {"state"}, {"why"}, {"retry"}});
  std::vector<Retried> retried;
  std::set<std::string> bad_nodes;
  for (const auto& [run, attempt] : failed.attempts) {
    const auto submission =
        std::find_if(submissions.known.begin(), submissions.known.end(),
                     [&token = attempt.submission](const Submission& known) { return known.token == token; });
    const auto& configurations = failed.plan.configurations;
    const auto configuration =
        std::find_if(configurations.begin(), configurations.end(),
                     [&config = attempt.config](const PlannedConfiguration& known) { return known.hash == config; });
    RetryDecision decision = decide(attempt, grants);
    if (submission == submissions.known.end()) {
      decision = refuse("its request to Slurm is unknown: the submission's record is missing or cannot be read");
    }
    if (decision.retry) {
      Retried again{&attempt, &*configuration, &*submission, decision, {}};
      try {
        again.shape = retried_shape(again, grants);
        retried.push_back(again);
        const std::string nodes = nodes_of(attempt);
        if (decision.exclude_nodes && !nodes.empty() && is_slurm_word(nodes)) bad_nodes.insert(nodes);
      } catch (const Error& error) {
        decision = refuse(error.what());
      }
    }
    table.add_row({run, fmt::format("{}", attempt.number), std::string(name_of(attempt.state->end)),
                   failure_of(attempt), decision.why});
  }
  SlurmRetry retry;
  retry.runs = retried.size();
  retry.text = table.to_string() + '\n';
  retry.arrays = gather_arrays(std::move(retried), bad_nodes, grants);
  const int before = submissions.known.empty() ? 0 : submissions.known.back().max_running;
  throttle_arrays(retry.arrays, grants.max_running > 0 ? grants.max_running : before, find_live_arrays(directory));
  return retry;
}

bool can_go_again(const Attempt& attempt, const RetryGrants& grants) { return decide(attempt, grants).retry; }

}  // namespace wansweep
