#include "worker/probe/machine.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "worker/device/host_capacity.h"

namespace wansweep {

namespace {

using nlohmann::json;

// The processors that this rank may use: some of them if ranks are bound to processors, otherwise all.
std::vector<int> own_processors() {
  std::vector<int> processors;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return processors;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) processors.push_back(processor);
  }
  return processors;
}

}  // namespace

ProbedMachine describe_machine(MpiWorld& world, const Backend& backend, const RunSettings& settings) {
  utsname name{};
  uname(&name);
  const json device = json::parse(backend.device->describe_json());
  ProbedMachine machine;
  machine.backend = settings.backend;
  if (backend.communicator) machine.communicator = backend.communicator->kind();
  machine.device = device.value("name", "");
  machine.driver = device.value("driver", "");
  machine.host = name.nodename;
  machine.gpus = device.value("gpus_of_node", 0);
  machine.device_memory = device.value("memory_bytes", int64_t{0});
  if (const json limit = device.value("power_limit_mw", json()); limit.is_number()) machine.power_limit_mw = limit;
  machine.host_memory = host_memory_of_rank(world.node_ranks()) * world.node_ranks();
  machine.share_device = settings.share_device;
  machine.link_bandwidth = settings.backend == BackendKind::cpu ? settings.link_bandwidth : 0;
  machine.link = settings.link;

  const json mine{{"host", machine.host}, {"processors", own_processors()}};
  std::map<std::string, int> ranks;
  std::vector<std::string> hosts;
  std::set<int> processors;
  for (const std::string& text : world.gather_text(mine.dump())) {
    const json rank = json::parse(text);
    const std::string host = rank["host"];
    if (ranks[host]++ == 0) hosts.push_back(host);
    if (host == machine.host) processors.insert(rank["processors"].begin(), rank["processors"].end());
  }
  for (const std::string& host : hosts) machine.node_ranks.push_back(ranks[host]);
  machine.processors = static_cast<int>(processors.size());
  return machine;
}

}  // namespace wansweep
