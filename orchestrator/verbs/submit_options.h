// What `wansweep submit` and `wansweep generate` have in common: options, and all that comes before sbatch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/cluster/submit.h"
#include "orchestrator/sweep/sweep_lock.h"

namespace CLI {
class App;
}

namespace wansweep {

struct SubmitArguments {
  std::string jobs_file;
  std::string cluster;
  std::string account;  // over the profile's
  std::string time;     // "1:30:00"; empty: predicted
  std::string directory;
  std::string worker;
  int max_running = 0;
};

void add_submit_options(CLI::App& verb, SubmitArguments& arguments);

// The profile read, the paths made absolute. Throws bad_input.
SubmitOptions submit_options(const SubmitArguments& arguments, const Sweep& sweep);

// A sweep whose directory is made and locked, with the arrays that are to be submitted.
struct PreparedSubmission {
  Sweep sweep;
  Plan plan;  // the arrays point into it
  SubmitOptions options;
  std::unique_ptr<SweepLock> lock;
  std::vector<PlannedArray> arrays;
  size_t runs = 0;
};

// Of a sweep and its plan, which has no problems: refuses what no node can have before anything is made, settles what
// earlier submissions left and plans the arrays; says on standard output what it found. Throws as all of these do.
PreparedSubmission prepare_submission(const SubmitArguments& arguments, Sweep sweep, Plan plan);

// The same of the sweep in arguments.jobs_file.
PreparedSubmission prepare_submission(const SubmitArguments& arguments);

}  // namespace wansweep
