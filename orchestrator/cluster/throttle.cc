#include "orchestrator/cluster/throttle.h"

#include <algorithm>
#include <map>

#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

// A chain of arrays that run one after the other.
struct Lane {
  int runs = 0;
  std::vector<size_t> arrays;
};

// Each array is appended to the chain with the least work.
std::vector<Lane> make_lanes(const std::vector<PlannedArray>& arrays, int limit) {
  std::vector<Lane> lanes(std::min(static_cast<size_t>(limit), arrays.size()));
  for (size_t i = 0; i < arrays.size(); ++i) {
    const auto lane =
        std::min_element(lanes.begin(), lanes.end(), [](const Lane& a, const Lane& b) { return a.runs < b.runs; });
    lane->runs += static_cast<int>(arrays[i].runs.size());
    lane->arrays.push_back(i);
  }
  return lanes;
}

}  // namespace

LiveArrays find_live_arrays(const std::string& sweep_directory) {
  std::map<std::string, int> members;
  const AttemptFolder folder(sweep_directory);
  for (const auto& [run, attempt] : folder.newest()) {
    if (attempt.launcher == Launcher::slurm && !attempt.state) ++members[attempt.submission];
  }
  LiveArrays live;
  const Submissions submissions = read_submissions(sweep_directory);
  for (const Submission& submission : submissions.known) {
    const auto found = members.find(submission.token);
    if (found == members.end() || !submission.outcome || submission.outcome->job_id == 0) continue;
    live.running += submission.running > 0 ? std::min(submission.running, found->second) : found->second;
    live.jobs.push_back(submission.outcome->job_id);
  }
  return live;
}

void throttle_arrays(std::vector<PlannedArray>& arrays, int max_running, const LiveArrays& live) {
  if (max_running == 0 || arrays.empty()) return;
  const bool room = live.running < max_running;
  const int limit = room ? max_running - live.running : max_running;
  const std::vector<Lane> lanes = make_lanes(arrays, limit);
  int runs = 0;
  for (const Lane& lane : lanes) runs += lane.runs;
  int left = limit;
  for (size_t i = 0; i < lanes.size(); ++i) {
    // The limit is divided by the amount of work, with at least 1 for each chain.
    const auto behind = static_cast<int>(lanes.size() - i) - 1;
    const int share = behind == 0 ? left : std::clamp(limit * lanes[i].runs / runs, 1, left - behind);
    left -= share;
    std::optional<size_t> before;
    for (const size_t each : lanes[i].arrays) {
      arrays[each].max_running = max_running;
      arrays[each].running = share;
      arrays[each].after = before;
      if (!room && !before) arrays[each].after_jobs = live.jobs;
      before = each;
    }
  }
}

}  // namespace wansweep
