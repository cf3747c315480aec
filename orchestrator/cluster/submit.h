// A plan's runs into Slurm, as one job array for each shape of resources, so that a crash at any instant neither loses
// nor doubles one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/terminal/progress_line.h"
#include "orchestrator/plan/plan.h"
#include "slurm/job_script.h"
#include "slurm/profile.h"

namespace wansweep {

// What the worker is called in an image (tools/container/wansweep.def), where nobody says otherwise.
inline constexpr const char* worker_of_image = "wansweep-worker";

struct PlannedRun {
  const PlannedConfiguration* configuration = nullptr;
  int repeat = 1;
};

struct SubmitOptions {
  std::string directory;  // of the sweep
  std::string worker;
  ClusterProfile profile;
  int max_running = 0;             // of the sweep's runs, at a time; 0: as many as there is room for
  std::optional<int64_t> seconds;  // time limit; else predicted
};

struct PlannedArray {
  ResourceShape shape;
  ClusterProfile profile;
  std::string worker;
  std::vector<PlannedRun> runs;
  int running = 0;      // at a time; 0: all
  int max_running = 0;  // of the whole sweep, as the user gave it; 0: all
  // What has to end before any of it runs, so that max_running holds.
  std::optional<size_t> after;      // another array of the same plan, ahead of it
  std::vector<int64_t> after_jobs;  // what Slurm had before
};

// `runs`, which ask for the same, as arrays that the cluster takes.
std::vector<PlannedArray> split_at_array_limit(const PlannedArray& all);

// By shape, split at the array limit, throttled. Throws as shape_of (shape.h).
std::vector<PlannedArray> plan_arrays(const std::vector<PlannedRun>& runs, const SubmitOptions& options);

// The script as it would be sent, under a token that stands for the one to come, as JOB does for a job to wait for.
std::string preview_script(const PlannedArray& array, const Sweep& sweep, const std::string& directory);

// Runs that were never run, nor are in Slurm's hands: no attempt has them, or only such as were withdrawn or refused.
// And those that were cancelled: to submit them again is to want them. Not those of which something cannot be read
// (AttemptFolder::block_of).
std::vector<PlannedRun> runs_to_submit(const std::string& directory, const Plan& plan);

struct SubmitReport {
  size_t runs = 0;
  std::vector<std::string> lines;  // one for each array: its job, or where its script is
};

// Writes the attempts and the intent, runs sbatch, writes the outcome; `by_hand`: all but sbatch. `progress` hears of
// every run. The caller holds the
// sweep's lock, and has settled earlier submissions. Throws bad_input with Slurm's message when it refuses,
// scheduler_unavailable when it does not answer or its answer cannot be read: what was accepted before stays.
SubmitReport submit_arrays(const std::vector<PlannedArray>& arrays, const Sweep& sweep, const std::string& directory,
                           bool by_hand, const ProgressSink& progress = {});

}  // namespace wansweep
