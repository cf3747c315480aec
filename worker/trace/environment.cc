#include "worker/trace/environment.h"

#include <mpi.h>
#include <sys/utsname.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/mpi_check.h"
#include "base/parallel_for.h"
#include "base/sha256.h"
#include "schema/trace_file.h"
#include "schema/version.h"

namespace wansweep {

namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  mpiCheck(MPI_Get_library_version(text.data(), &length));
  const std::string whole(text.data(), static_cast<size_t>(length));
  return whole.substr(0, whole.find(','));
}

}  // namespace

std::string describe_environment(const Device& device, int rank, int ranks) {
  nlohmann::json json;
  utsname name{};
  uname(&name);
  json["host"] = name.nodename;
  json["system"] = fmt::format("{} {}", name.sysname, name.release);
  json["cpu"] = cpu_model();
  json["usable_cores"] = usable_cores();
  json["rank"] = rank;
  json["ranks"] = ranks;
  json["device"] = nlohmann::json::parse(device.describe_json());
  json["mpi"] = mpi_library();
  json["hdf5"] = hdf5_version();
  json["wansweep"] = version;
  json["git_revision"] = git_revision;
  // Shows a worker that was replaced after its submission: see analysis/replaced_workers.sql.
  if (const char* submitted = std::getenv("WANSWEEP_SUBMITTED_WORKER")) {
    json["worker_sha256"] = sha256_file("/proc/self/exe");
    json["submitted_worker_sha256"] = submitted;
  }
  for (const char* variable :
       {"SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT", "SLURM_JOB_PARTITION",
        "SLURM_JOB_NODELIST", "SLURM_PROCID", "LOADEDMODULES", "CUDA_VISIBLE_DEVICES"}) {
    if (const char* value = std::getenv(variable)) json["variables"][variable] = value;
  }
  return json.dump();
}

}  // namespace wansweep
