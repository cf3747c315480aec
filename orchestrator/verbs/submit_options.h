// The part that `wansweep submit` and `wansweep generate` share: the options, and all steps before sbatch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cluster/submit.h"
#include "orchestrator/predict/prediction_record.h"
#include "orchestrator/sweep/sweep_lock.h"

namespace CLI {
class App;
}

namespace wansweep {

struct SubmitArguments {
  std::string jobs_file;
  std::string cluster;
  std::string account;  // replaces the profile's; empty: the profile's
  std::string time;     // "1:30:00"; empty: predicted
  std::string machine;  // machines/NAME.toml; empty: the profile's, if it names one
  std::string directory;
  std::string worker;
  int max_running = 0;
  bool quiet = false;  // only what is wrong is said
};

void add_submit_options(CLI::App& verb, SubmitArguments& arguments);

// Reads the profile, and makes the paths absolute. Throws bad_input.
SubmitOptions submit_options(const SubmitArguments& arguments, const Sweep& sweep);

// Predicts the plan's runs on the machine that the arguments or the profile name: their times into
// options.predicted_seconds. Returns what the sweep's directory keeps of them; nullopt when no machine is named, and
// for a probe. Throws bad_input.
std::optional<PredictionRecord> predict_times(const SubmitArguments& arguments, const Plan& plan,
                                              SubmitOptions& options);

// A sweep whose directory exists and is locked, with the arrays to submit.
struct PreparedSubmission {
  Sweep sweep;
  Plan plan;  // the arrays point into it
  SubmitOptions options;
  std::unique_ptr<SweepLock> lock;
  std::vector<PlannedArray> arrays;
  size_t runs = 0;
};

// Of a sweep and its plan, which has no problems: refuses runs that no node can hold before anything is created, writes
// the sweep's record, settles earlier submissions, plans the arrays, and reports on standard output. Throws as all of
// these do.
PreparedSubmission prepare_submission(const SubmitArguments& arguments, Sweep sweep, Plan plan);

// The same, for the sweep in arguments.jobs_file.
PreparedSubmission prepare_submission(const SubmitArguments& arguments);

}  // namespace wansweep
