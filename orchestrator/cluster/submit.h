// Submits a plan's runs to Slurm, as one job array for all runs with the same request, so that a crash at any moment
// neither loses a run nor submits it twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/terminal/progress_line.h"
#include "orchestrator/plan/plan.h"
#include "slurm/job_script.h"
#include "slurm/profile.h"

namespace wansweep {

// The worker's path in an image (tools/container/wansweep.def), unless the user gives another.
inline constexpr const char* worker_of_image = "wansweep-worker";

struct PlannedRun {
  const PlannedConfiguration* configuration = nullptr;
  int repeat = 1;
};

struct SubmitOptions {
  std::string directory;  // the sweep's directory
  std::string worker;
  ClusterProfile profile;
  int max_running = 0;             // the most runs of the sweep at a time; 0: no limit
  std::optional<int64_t> seconds;  // time limit; nullopt: predicted
  // Seconds of loading and of the loop, at most, by settings_hash, where a machine is known; other runs go by the
  // profile.
  std::map<std::string, double> predicted_seconds;
};

struct PlannedArray {
  ResourceShape shape;
  ClusterProfile profile;
  std::string worker;
  std::vector<PlannedRun> runs;
  int running = 0;      // the most members at a time; 0: all
  int max_running = 0;  // the user's limit for the whole sweep; 0: none
  // Arrays that must end before any member runs, so that max_running holds.
  std::optional<size_t> after;      // an earlier array of the same plan
  std::vector<int64_t> after_jobs;  // arrays that Slurm had before
};

// `runs`, which have the same request, as arrays that the cluster accepts.
std::vector<PlannedArray> split_at_array_limit(const PlannedArray& all);

// What one run asks Slurm for. Throws as shape_of (shape.h).
ResourceShape request_of(const PlannedConfiguration& configuration, const SubmitOptions& options);

// Plans the arrays: grouped by request, split at the array limit, throttled. Throws as shape_of (shape.h).
std::vector<PlannedArray> plan_arrays(const std::vector<PlannedRun>& runs, const SubmitOptions& options);

// The script as it would be submitted, with placeholders for the token and for the ids of jobs to wait for.
std::string preview_script(const PlannedArray& array, const Sweep& sweep, const std::string& directory);

// The runs to submit: those without an attempt, or whose attempts were all withdrawn or refused, and those that were
// cancelled, since submitting them again means that they are wanted. Runs with a record that cannot be read are left
// out (AttemptFolder::block_of).
std::vector<PlannedRun> runs_to_submit(const std::string& directory, const Plan& plan);

struct SubmitReport {
  size_t runs = 0;
  std::vector<std::string> lines;  // one for each array: its job id, or the path of its script
};

// Writes the attempts and the intent, runs sbatch, writes the outcome; `by_hand`: all but sbatch. `progress` hears of
// every run. The caller holds the
// sweep's lock, and has settled earlier submissions. Throws bad_input with Slurm's message when it refuses,
// scheduler_unavailable when it does not answer or its answer cannot be read: what was accepted before stays.
SubmitReport submit_arrays(const std::vector<PlannedArray>& arrays, const Sweep& sweep, const std::string& directory,
                           bool by_hand, const ProgressSink& progress = {});

}  // namespace wansweep
