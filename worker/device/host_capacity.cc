#include "worker/device/host_capacity.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace wansweep {

namespace {

std::optional<int64_t> read_number(const std::string& file) {
  std::ifstream stream(file);
  int64_t value = 0;
  if (stream >> value) return value;  // "max" is no number: no limit
  return std::nullopt;
}

// What the control group, version 2 or 1, still leaves of its limit. Cache that it would give up counts as left.
std::optional<int64_t> left_in_cgroup() {
  std::string path = "/sys/fs/cgroup", limit = "/memory.max", used = "/memory.current", cache = "inactive_file ";
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) path = "/sys/fs/cgroup" + line.substr(3);
    const size_t memory = line.find(":memory:");
    if (memory == std::string::npos) continue;
    path = "/sys/fs/cgroup/memory" + line.substr(memory + 8);
    limit = "/memory.limit_in_bytes";
    used = "/memory.usage_in_bytes";
    cache = "total_inactive_file ";
    break;
  }
  const std::optional<int64_t> most = read_number(path + limit);
  const std::optional<int64_t> now = read_number(path + used);
  if (!most || !now) return std::nullopt;
  int64_t left = *most - *now;
  std::ifstream stat(path + "/memory.stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.rfind(cache, 0) == 0) left += std::atoll(line.c_str() + cache.size());
  }
  return left;
}

int64_t available_by_kernel() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("MemAvailable:", 0) == 0) return std::atoll(line.c_str() + 13) * 1024;
  }
  return std::numeric_limits<int64_t>::max();
}

}  // namespace

int64_t available_host_memory(int64_t in_use, int ranks) {
  if (const char* given = std::getenv("WANSWEEP_HOST_MEMORY")) {
    return static_cast<int64_t>(std::atof(given) * 1024 * 1024 * 1024) - in_use;
  }
  const int64_t left = left_in_cgroup().value_or(std::numeric_limits<int64_t>::max());
  return std::max<int64_t>(0, std::min(left, available_by_kernel())) / ranks;
}

}  // namespace wansweep
