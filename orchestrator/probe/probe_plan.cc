#include "orchestrator/probe/probe_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "schema/probe/request.h"

namespace wansweep {
namespace {

// The settings that are fixed within one start of the worker. The emulated link of the cpu backend is not one of them:
// all starts measure over the fastest link of the runs, and a prediction goes by its own run's link settings.
using StartKey = std::tuple<int64_t, BackendKind, CommunicatorKind, bool>;

StartKey key_of(const RunSettings& settings) {
  return {settings.ranks, settings.backend, settings.communicator, settings.share_device};
}

// What a block loses beside copies is measured by the GB copied meanwhile, so over a fast link: over a slow one, the
// little that is lost drowns in what the block's time varies by anyway.
struct ProbedLink {
  double bandwidth = 0;  // GB/s; 0: not emulated
  LinkSharing sharing = LinkSharing::shared;

  void take(const RunSettings& settings) {
    if (settings.link_bandwidth > bandwidth) *this = {settings.link_bandwidth, settings.link};
  }
  void set(RunSettings& settings) const {
    settings.link_bandwidth = bandwidth;
    settings.link = sharing;
  }
};

struct Start {
  const PlannedConfiguration* cheapest = nullptr;
  std::vector<ProbeShape> shapes;
  ProbeRequest request;
};

void add(Start& start, const PlannedConfiguration& configuration) {
  const auto memory = [](const PlannedConfiguration& c) {
    return std::pair(c.host_bytes_per_node(), c.run->memory.device_total());
  };
  if (start.cheapest == nullptr || memory(configuration) < memory(*start.cheapest)) start.cheapest = &configuration;
  const ProbeShape shape = probe_shape_of(*configuration.run);
  if (std::ranges::find(start.shapes, shape) != start.shapes.end()) return;
  start.shapes.push_back(shape);
  start.request.shapes.push_back(configuration.run->settings);
}

std::string name_of_start(const RunSettings& settings, const std::vector<PlannedConfiguration>& others) {
  std::string name = fmt::format("probe-r{}-{}", settings.ranks, name_of(settings.backend));
  const auto taken = [&](const std::string& wanted) {
    return std::ranges::any_of(others, [&](const PlannedConfiguration& other) { return other.name == wanted; });
  };
  for (int number = 2; taken(name); ++number) {
    name = fmt::format("probe-r{}-{}-{}", settings.ranks, name_of(settings.backend), number);
  }
  return name;
}

void check_ranks(const Plan& jobs, const std::vector<int64_t>& ranks) {
  std::vector<int64_t> known;
  for (const PlannedConfiguration& c : jobs.configurations) {
    if (std::ranges::find(known, c.spec.ranks) == known.end()) known.push_back(c.spec.ranks);
  }
  for (const int64_t wanted : ranks) {
    if (std::ranges::find(known, wanted) != known.end()) continue;
    throw bad_input(
        fmt::format("--ranks is {}; the runs of {} have {} ranks", wanted, jobs.file, fmt::join(known, ", ")));
  }
}

}  // namespace

Plan plan_probe(const Plan& jobs, const std::vector<int64_t>& ranks, double seconds) {
  check_ranks(jobs, ranks);
  std::vector<StartKey> order;
  std::map<StartKey, Start> starts;
  size_t shapes = 0;
  ProbedLink link;
  for (const PlannedConfiguration& configuration : jobs.configurations) {
    if (!configuration.run || configuration.spec.engine != EngineKind::wansweep) continue;
    if (!ranks.empty() && std::ranges::find(ranks, configuration.spec.ranks) == ranks.end()) continue;
    link.take(configuration.spec);
    const StartKey key = key_of(configuration.spec);
    const auto [found, added] = starts.try_emplace(key);
    if (added) order.push_back(key);
    const size_t before = found->second.shapes.size();
    add(found->second, configuration);
    shapes += found->second.shapes.size() - before;
  }
  if (order.empty()) {
    throw bad_input(fmt::format("{}: has no run of engine wansweep; the probe measures with its worker", jobs.file));
  }
  Plan probes{"probe", jobs.file, 1, {}};
  for (const StartKey& key : order) {
    Start& start = starts.at(key);
    for (RunSettings& shape : start.request.shapes) link.set(shape);
    start.request.seconds = seconds * static_cast<double>(start.shapes.size()) / static_cast<double>(shapes);
    PlannedConfiguration probe = *start.cheapest;
    link.set(probe.spec);
    probe.name = name_of_start(probe.spec, probes.configurations);
    probe.probe = to_json(start.request).dump();
    probe.drift.clear();
    probe.warnings.clear();
    probes.configurations.push_back(std::move(probe));
  }
  return probes;
}

std::vector<ProbeRecord> read_probe_records(const std::string& directory, const Plan& probes) {
  const AttemptFolder attempts(directory);
  std::vector<ProbeRecord> records;
  for (const PlannedConfiguration& probe : probes.configurations) {
    const Attempt* attempt = attempts.newest_of(run_name(probe, 1));
    if (attempt == nullptr) throw bad_input(fmt::format("{}: has no attempt of {}", directory, probe.name));
    if (!is_done(*attempt)) {
      const std::string said = attempt->state ? attempt->state->line : "its end is not known";
      throw bad_input(fmt::format("{}: the probe did not end well: {}", attempt->directory, printable(said)));
    }
    records.push_back(read_probe_record(attempt->directory + "/" + probe_record_name));
  }
  return records;
}

}  // namespace wansweep
