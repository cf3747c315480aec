// A cluster as TOML, slurm/NAME.toml: what to ask its Slurm for, and within which limits.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"

namespace wansweep {

// What starts the ranks inside a job.
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

// What it binds each of them to.
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
  // Which cluster every Slurm command is about (--clusters), where a Slurm has several. Empty: the one that the
  // environment's SLURM_CLUSTERS or SBATCH_CLUSTERS names when the profile is read, or else slurm.conf's own.
  std::string cluster;
  // What a job asks for. Empty: Slurm's or the site's default.
  std::string partition;
  std::string account;
  std::string qos;
  std::string constraint;
  std::string gres;  // one device as --gres spells it: "gpu:h100"; needed for backend cuda
  std::vector<std::string> exclude;
  // What a node has, and what a job may have.
  int64_t gpus_per_node = 0;  // ranks that share a node, at most
  int64_t cores_per_node = 0;
  int64_t memory_per_node = 0;  // MiB
  int64_t max_nodes = 1;
  int64_t time_limit = 0;      // seconds; in TOML "2-00:00:00"
  int64_t array_limit = 1000;  // members of one array: at most the site's MaxArraySize - 1
  // What a run is predicted to take.
  double teraflops_per_rank = 1;        // sustained
  int64_t startup_seconds = 60;         // before the first step: modules, weights
  int64_t shortest_time = 300;          // seconds asked for, at least
  int64_t host_memory_per_rank = 1024;  // MiB beside weights: libraries, buffers
  // How the job starts its ranks.
  RankLauncher launcher = RankLauncher::srun;
  std::string mpi = "pmix";  // srun --mpi
  CoreBinding binding = CoreBinding::cores;
  std::vector<std::string> modules;
  // An image with the worker and all that it needs, which apptainer runs: a .sif file, a folder, or URI such as
  // docker://. Empty: the worker is a program of the site's. Goes with no modules.
  std::string container;
  std::map<std::string, std::string> environment;
  std::string scratch;  // TMPDIR of the job; empty: as the node has it
  // How runs of other engines are started (settings engine sglang, diffusers).
  std::vector<std::string> engine_setup;  // lines of shell before the engine: "source /scratch/venv/bin/activate"
  std::string engine_container;           // words before its command: "apptainer exec --nv /scratch/sglang.sif"
  std::string sglang = "sglang";          // the program
  std::string engine_python = "python3";  // that has torch and diffusers
  int64_t signal_before_end = 120;        // seconds before the limit at which the worker is asked to stop
  // How Slurm is asked.
  int64_t poll_seconds = 30;     // between two questions, at least
  int64_t lost_seconds = 60;     // for how long Slurm must not know a job before it is lost
  int64_t command_timeout = 60;  // seconds that one Slurm command may take
};

// `name` is a name (slurm/NAME.toml here, or among those that came with wansweep) or a path of a .toml file. Throws
// bad_input: an unknown name with those there are; an unknown key with the nearest; a value that is wrong; an
// environment that names several clusters.
ClusterProfile read_profile(const std::string& name);
ClusterProfile parse_profile(const std::string& text, const std::string& file);

// Whether `text` can stand on an #SBATCH line as it is.
bool is_slurm_word(std::string_view text);

// Throws bad_input when Slurm cannot take `text` as the value of `key` on an #SBATCH line.
void check_slurm_word(const std::string& text, std::string_view key, const std::string& where);

// As JSON text, and back: what a submission was made with stays with it.
std::string profile_to_json(const ClusterProfile& profile);
ClusterProfile profile_from_json(const std::string& json, const std::string& where);

// "2-00:00:00", "1:30:00", "90" (minutes), as Slurm writes durations; -1 when it is none. UNLIMITED is 0.
int64_t parse_duration(const std::string& text);
std::string format_duration(int64_t seconds);

}  // namespace wansweep
