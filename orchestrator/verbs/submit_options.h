// What `wansweep submit` and `wansweep generate` have in common: options, and all that comes before sbatch.
#pragma once

#include <string>

#include "orchestrator/cluster/submit.h"

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

// Throws bad_input when no node or job of the cluster can have what a configuration asks for.
void check_requests(const Plan& plan, const SubmitOptions& options);

struct PreparedSubmission {
  std::vector<PlannedArray> arrays;
  size_t runs = 0;
};

// Settles what earlier ones left, and plans the arrays of what is to be submitted; says on standard output what it
// found. The caller holds the sweep's lock.
PreparedSubmission prepare_submission(const Plan& plan, const SubmitOptions& options);

}  // namespace wansweep
