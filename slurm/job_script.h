// The script of one job array, made from slurm/job.sh.mustache. The script needs nothing else: `sbatch --chdir=FOLDER`
// by hand, with the folder that it is in, does the same as `wansweep submit`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "slurm/profile.h"

namespace wansweep {

// The resources that each member of an array asks Slurm for.
struct ResourceShape {
  int64_t nodes = 1;
  int64_t ranks = 1;  // of all nodes together; each node has the same number
  int64_t gpus_per_node = 0;
  int64_t cores_per_rank = 1;
  int64_t memory_per_node = 0;  // MiB
  int64_t seconds = 0;          // time limit

  auto operator<=>(const ResourceShape&) const =
      default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};

struct JobScript {
  std::string token;  // the job's name, by which a submission is found again after a crash
  std::string sweep;
  std::string submission;          // directory: manifest, started.JOBID
  std::string attempts;            // directory that the manifest's names are in
  std::string worker;              // with a container: in the image
  std::string worker_sha256;       // of the worker as it is submitted; empty: not known
  std::vector<std::string> binds;  // folders of the host that the container must be able to see
  bool engine_scripts = false;     // the members are of another engine: their command.sh is started, not the worker
  int count = 1;                   // number of members; the manifest has a line for each
  int running = 0;                 // the most members that run at a time; 0: all
  std::vector<std::string> after;  // ids of jobs that must end first, successfully or not
  ResourceShape shape;
};

// The script's text. Throws bad_input for a shape that asks for less than one of anything (Slurm reads --time=0 as no
// limit), and for a folder whose name apptainer's --bind would split.
std::string render_job_script(const JobScript& job, const ClusterProfile& profile);

}  // namespace wansweep
