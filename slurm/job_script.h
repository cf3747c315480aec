// The script of one job array, from slurm/job.sh.mustache. It stands alone: `sbatch` of it by hand does what `wansweep
// submit` does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "slurm/profile.h"

namespace wansweep {

// What the members of an array have in common: what each asks Slurm for.
struct ResourceShape {
  int64_t nodes = 1;
  int64_t ranks = 1;  // in all; the same number on each node
  int64_t gpus_per_node = 0;
  int64_t cores_per_rank = 1;
  int64_t memory_per_node = 0;  // MiB
  int64_t seconds = 0;          // time limit

  auto operator<=>(const ResourceShape&) const =
      default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};

struct JobScript {
  std::string token;  // the job's name, and the one thing by which a forgotten submission is found
  std::string sweep;
  std::string submission;          // directory: manifest, started.JOBID
  std::string attempts;            // directory that the manifest's names are in
  std::string worker;              // with a container: in the image
  std::string worker_sha256;       // of the worker as it is submitted; empty: not known
  std::vector<std::string> binds;  // folders that a container has to show inside
  bool engine_scripts = false;     // members of other engines have a command.sh, which is started in the worker's place
  int count = 1;                   // members; the manifest has a line for each
  int running = 0;                 // at a time, at most; 0: all
  std::vector<std::string> after;  // ids of jobs that have to end first, however they end
  ResourceShape shape;
};

// Throws bad_input for a shape that asks for less than one of anything (Slurm reads --time=0 as no limit), and for a
// folder whose name apptainer's --bind would read as several.
std::string render_job_script(const JobScript& job, const ClusterProfile& profile);

}  // namespace wansweep
