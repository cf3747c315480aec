// A cluster's profile, slurm/NAME.toml: the resources to ask its Slurm for, the limits, and how jobs start ranks. Times
// are in seconds, memory is in MiB.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"

namespace wansweep {

// The program that starts the ranks inside a job.
enum class RankLauncher { srun, mpirun };

constexpr std::string_view name_of(RankLauncher launcher) {
  switch (launcher) {
    case RankLauncher::srun:
      return "srun";
    case RankLauncher::mpirun:
      return "mpirun";
  }
  return {};
}

// What each rank is bound to.
enum class CoreBinding { cores, none };

constexpr std::string_view name_of(CoreBinding binding) {
  switch (binding) {
    case CoreBinding::cores:
      return "cores";
    case CoreBinding::none:
      return "none";
  }
  return {};
}

struct ClusterProfile {
  std::string name;
  std::string file;
  // The cluster that every Slurm command names (--clusters), for a Slurm that has several. Empty: the cluster that
  // SLURM_CLUSTERS or SBATCH_CLUSTERS names when the profile is read, or else the one in slurm.conf.
  std::string cluster;
  // The resources that a job asks for. Empty: Slurm's or the site's default.
  std::string partition;
  std::string account;
  std::string qos;
  std::string constraint;
  std::string gres;  // one device as --gres spells it: "gpu:h100"; needed for backend cuda
  std::vector<std::string> exclude;
  // The resources of a node, and the limits of a job.
  int64_t gpus_per_node = 0;  // also the most ranks on a node
  int64_t cores_per_node = 0;
  int64_t memory_per_node = 0;  // MiB
  int64_t max_nodes = 1;
  int64_t time_limit = 0;      // seconds; in TOML "2-00:00:00"
  int64_t array_limit = 1000;  // the most members of one array, at most the site's MaxArraySize - 1
  // For the prediction of a run's time and memory: by the numbers of machines/MACHINE.toml, or, where there are none,
  // by those that follow.
  std::string machine;
  double teraflops_per_rank = 1;        // sustained
  int64_t startup_seconds = 60;         // before the first step: modules, weights
  int64_t shortest_time = 300;          // seconds: the least time limit that a job asks for
  int64_t host_memory_per_rank = 1024;  // MiB beside weights: libraries, buffers
  // How the job starts its ranks.
  RankLauncher launcher = RankLauncher::srun;
  std::string mpi = "pmix";  // srun --mpi
  CoreBinding binding = CoreBinding::cores;
  std::vector<std::string> modules;
  // An image that holds the worker and its libraries, which apptainer runs: a .sif file, a folder, or a URI such as
  // docker://. Empty: the worker is a program on the site. Cannot be combined with modules.
  std::string container;
  std::map<std::string, std::string> environment;
  std::string scratch;  // TMPDIR of the job; empty: the node's own
  // How runs of other engines are started (settings engine sglang, diffusers).
  std::vector<std::string> engine_setup;  // lines of shell before the engine: "source /scratch/venv/bin/activate"
  std::string engine_container;   // words before the engine's command: "apptainer exec --nv /scratch/sglang.sif"
  std::string sglang = "sglang";  // SGLang's program
  std::string engine_python = "python3";  // a Python that has torch and diffusers
  int64_t signal_before_end = 120;        // seconds before the time limit at which the worker is asked to stop
  // How Slurm is asked.
  int64_t poll_seconds = 30;     // the least time between two questions
  int64_t lost_seconds = 60;     // a job that Slurm does not know for so long is lost
  int64_t command_timeout = 60;  // the longest time that a Slurm command may take
};

// Reads a profile. `name` is a name (slurm/NAME.toml here, or among those that come with wansweep) or the path of a
// .toml file. Throws bad_input for an unknown name (listing the known ones), an unknown key (naming the nearest), a
// wrong value, or an environment that names several clusters.
ClusterProfile read_profile(const std::string& name);
ClusterProfile parse_profile(const std::string& text, const std::string& file);

// Whether `text` can be written on an #SBATCH line as it is.
bool is_slurm_word(std::string_view text);

// Throws bad_input when Slurm cannot take `text` as the value of `key` on an #SBATCH line.
void check_slurm_word(const std::string& text, std::string_view key, const std::string& where);

// The profile as JSON text, and back: a submission keeps the profile that it was made with.
std::string profile_to_json(const ClusterProfile& profile);
ClusterProfile profile_from_json(const std::string& json, const std::string& where);

// Seconds of a duration as Slurm writes it: "2-00:00:00", "1:30:00", "90" (minutes). UNLIMITED is 0; -1 when `text` is
// not a duration.
int64_t parse_duration(const std::string& text);
std::string format_duration(int64_t seconds);

}  // namespace wansweep
