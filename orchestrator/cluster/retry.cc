#include "orchestrator/cluster/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/exit_codes.h"
#include "base/text_table.h"
#include "orchestrator/cluster/job_end.h"
#include "orchestrator/cluster/poll_record.h"
#include "orchestrator/cluster/throttle.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

// The worker's own, else what only wansweep's programs end with: 1 is also what an mpirun says whose daemon died.
std::optional<int> exit_code_of(const Attempt& attempt) {
  const std::optional<int> code = worker_exit_code(attempt);
  const bool said_by_worker = std::filesystem::exists(attempt.directory + "/failure.json");
  return code == static_cast<int>(ExitCode::internal) && !said_by_worker ? std::nullopt : code;
}

// The nodes it ran on, as Slurm writes them; its own job script noted them too.
std::string nodes_of(const Attempt& attempt) {
  std::string nodes = read_last_verdict(attempt.directory).memory.row.nodes;
  if (!nodes.empty()) return nodes;
  std::ifstream stream(attempt.directory + "/job.json");
  const nlohmann::json job = nlohmann::json::parse(stream, nullptr, false);
  return job.is_object() ? job.value("nodes", "") : "";
}

RetryDecision refuse(std::string why) { return {false, 1, 1, false, std::move(why)}; }

int64_t times(int64_t amount, double factor) {
  return static_cast<int64_t>(std::ceil(static_cast<double>(amount) * factor));
}

// More than a job may have is refused, naming the limit.
RetryDecision decide(const Attempt& attempt, const Submission& submission, const RetryGrants& grants) {
  RetryDecision decision = retry_policy(job_state_of(attempt.state->end), exit_code_of(attempt), grants.factors);
  if (!decision.retry) return decision;
  const ClusterProfile& profile = grants.profile ? *grants.profile : submission.profile;
  const int64_t seconds = times(submission.shape.seconds, decision.time_factor);
  if (seconds > profile.time_limit) {
    return refuse(fmt::format("needs {} of time; time_limit is {} (cluster {})", format_duration(seconds),
                              format_duration(profile.time_limit), profile.name));
  }
  const int64_t memory = times(submission.shape.memory_per_node, decision.memory_factor);
  if (memory > profile.memory_per_node) {
    return refuse(fmt::format("needs {} MiB of host memory a node; memory_per_node is {} (cluster {})", memory,
                              profile.memory_per_node, profile.name));
  }
  return decision;
}

struct Retried {
  const Attempt* attempt;
  const PlannedConfiguration* configuration;
  const Submission* submission;
  RetryDecision decision;
};

PlannedArray array_of(const Retried& retried, const std::set<std::string>& bad_nodes, const RetryGrants& grants) {
  const Submission& before = *retried.submission;
  PlannedArray array;
  array.shape = before.shape;
  array.profile = before.profile;
  array.worker = grants.worker.empty() ? before.worker : grants.worker;
  if (grants.profile) {  // its nodes may be other ones
    array.profile = *grants.profile;
    SubmitOptions options;
    options.profile = array.profile;
    options.seconds = before.shape.seconds;
    array.shape = shape_of(*retried.configuration, options);
  }
  array.shape.seconds = times(before.shape.seconds, retried.decision.time_factor);
  array.shape.memory_per_node =
      std::max(array.shape.memory_per_node, times(before.shape.memory_per_node, retried.decision.memory_factor));
  std::set<std::string> exclude(array.profile.exclude.begin(), array.profile.exclude.end());
  exclude.insert(bad_nodes.begin(), bad_nodes.end());
  array.profile.exclude.assign(exclude.begin(), exclude.end());
  return array;
}

// Those that ask for the same, together. Repeat by repeat, as they were submitted.
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
  const Submissions read = read_submissions(directory);
  const std::vector<Submission>& submissions = read.known;
  TextTable table({{"run"}, {"attempt", Align::right}, {"state"}, {"why"}, {"again"}});
  std::vector<Retried> retried;
  std::set<std::string> bad_nodes;
  for (const auto& [run, attempt] : failed.attempts) {
    const auto submission =
        std::find_if(submissions.begin(), submissions.end(),
                     [&token = attempt.submission](const Submission& known) { return known.token == token; });
    const RetryDecision decision = submission == submissions.end()
                                       ? refuse("what it asked Slurm for is not known: its submission is gone")
                                       : decide(attempt, *submission, grants);
    table.add_row({run, fmt::format("{}", attempt.number), std::string(name_of(attempt.state->end)),
                   failure_of(attempt), decision.why});
    if (!decision.retry) continue;
    const auto& configurations = failed.plan.configurations;
    const auto configuration =
        std::find_if(configurations.begin(), configurations.end(),
                     [&config = attempt.config](const PlannedConfiguration& known) { return known.hash == config; });
    retried.push_back({&attempt, &*configuration, &*submission, decision});
    if (decision.exclude_nodes && !nodes_of(attempt).empty()) bad_nodes.insert(nodes_of(attempt));
  }
  SlurmRetry retry;
  retry.runs = retried.size();
  retry.text = table.to_string() + '\n';
  retry.arrays = gather_arrays(std::move(retried), bad_nodes, grants);
  const int before = submissions.empty() ? 0 : submissions.back().max_running;
  throttle_arrays(retry.arrays, grants.max_running > 0 ? grants.max_running : before, find_live_arrays(directory));
  return retry;
}

}  // namespace wansweep
