// Slurm and systemd set limits on groups above the process's own (the job's, the user's), so every group up to the root
// is read. In a container, the path in /proc/self/cgroup may be the host's: then only the root of the mounted hierarchy
// exists, and it is the container's own group.

#include "worker/device/host_capacity.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "base/declared_memory.h"

namespace wansweep {

namespace {

constexpr int64_t no_limit = std::numeric_limits<int64_t>::max();

// The file names of a version of control groups.
struct GroupFiles {
  const char* limit;
  const char* used;
  const char* cache;  // line in memory.stat: cache that can be freed, of the group and all below it
};
constexpr GroupFiles version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr GroupFiles version_2{"memory.max", "memory.current", "inactive_file"};

std::optional<int64_t> read_number(const std::filesystem::path& file) {
  std::ifstream stream(file);
  int64_t value = 0;
  if (stream >> value) return value;  // "max", which is not a number, means no limit
  return std::nullopt;
}

int64_t left_in_group(const std::filesystem::path& group, const GroupFiles& files) {
  const std::optional<int64_t> limit = read_number(group / files.limit);
  const std::optional<int64_t> used = read_number(group / files.used);
  if (!limit || !used) return no_limit;
  int64_t left = *limit - *used;
  std::ifstream stat(group / "memory.stat");
  std::string name;
  for (int64_t bytes = 0; stat >> name >> bytes;) {
    if (name == files.cache) left += bytes;
  }
  return std::max<int64_t>(0, left);
}

int64_t left_up_to(const std::filesystem::path& root, const std::filesystem::path& group, const GroupFiles& files) {
  int64_t left = left_in_group(root, files);
  std::filesystem::path at = root;
  for (const std::filesystem::path& part : group.relative_path()) {
    at /= part;
    left = std::min(left, left_in_group(at, files));
  }
  return left;
}

int64_t available_by_kernel() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("MemAvailable:", 0) == 0) return std::atoll(line.c_str() + 13) * 1024;
  }
  return no_limit;
}

int64_t left_on_host() { return std::min(left_in_cgroups(), available_by_kernel()); }

}  // namespace

int64_t left_in_cgroups(const std::string& root) {
  const std::filesystem::path base(root);
  const std::filesystem::path mounts = base / "sys/fs/cgroup";
  int64_t left = no_limit;
  std::ifstream groups(base / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "9:cpu,memory:/slurm/job_7", or "0::/slurm/job_7"
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) left = std::min(left, left_up_to(mounts, group, version_2));
    std::istringstream list(controllers);
    for (std::string name; std::getline(list, name, ',');) {
      if (name == "memory") left = std::min(left, left_up_to(mounts / "memory", group, version_1));
    }
  }
  return left;
}

int64_t host_memory_of_rank(int node_ranks) { return declared_host_memory().value_or(left_on_host()) / node_ranks; }

int64_t host_memory_left(int node_ranks, int64_t in_use) {
  if (const std::optional<int64_t> bytes = declared_host_memory())
    return std::max<int64_t>(0, *bytes / node_ranks - in_use);
  return left_on_host();
}

}  // namespace wansweep
