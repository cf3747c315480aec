// Requests are rounded up, time to 5 minutes and memory to a GiB, so that runs with nearly the same request share a job
// array. Comparisons with a limit are made as doubles: a prediction may be larger than any integer, infinite, or not a
// number, and Slurm reads a time limit of 0 as no limit.

#include "orchestrator/cluster/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/predict/predicted_time.h"

namespace wansweep {
namespace {

constexpr double time_margin = 1.5;
constexpr double margin_of_interval = 1.25;  // beyond the high end of an interval that 10 % of runs exceed
constexpr double memory_margin = 1.25;
constexpr int64_t time_granule = 300;     // seconds
constexpr int64_t short_granule = 60;     // for times below time_granule; Slurm itself counts in minutes
constexpr int64_t memory_granule = 1024;  // MiB
constexpr double mib = 1024.0 * 1024.0;

int64_t round_up(double value, int64_t granule) {
  return static_cast<int64_t>(std::ceil(value / static_cast<double>(granule))) * granule;
}

[[noreturn]] void refuse(const PlannedConfiguration& c, const ClusterProfile& profile, const std::string& what) {
  throw bad_input(fmt::format("{}: {} (cluster {}, {})", c.name, what, profile.name, profile.file));
}

void set_nodes(ResourceShape& shape, const PlannedConfiguration& c, const ClusterProfile& profile) {
  shape.nodes = (shape.ranks + profile.gpus_per_node - 1) / profile.gpus_per_node;
  while (shape.nodes < shape.ranks && shape.ranks % shape.nodes != 0) ++shape.nodes;  // equal numbers on all nodes
  if (shape.nodes > profile.max_nodes) {
    refuse(c, profile,
           fmt::format("{} ranks need {} nodes of {} GPUs; max_nodes is {}", shape.ranks, shape.nodes,
                       profile.gpus_per_node, profile.max_nodes));
  }
  if (shape.nodes > 1 && has_script(c.spec.engine)) {
    refuse(c, profile,
           fmt::format("{} ranks need {} nodes of {} GPUs, but engine {} runs on one node", shape.ranks, shape.nodes,
                       profile.gpus_per_node, name_of(c.spec.engine)));
  }
  shape.cores_per_rank = std::max<int64_t>(1, profile.cores_per_node / profile.gpus_per_node);
}

void set_gpus(ResourceShape& shape, const PlannedConfiguration& c, const ClusterProfile& profile) {
  if (profile.gres.empty()) refuse(c, profile, "backend cuda needs GPUs, but the profile does not set gres");
  shape.gpus_per_node = c.spec.share_device ? 1 : shape.ranks / shape.nodes;
}

// The memory of each node in MiB.
void set_memory(ResourceShape& shape, double needed, const PlannedConfiguration& c, const ClusterProfile& profile) {
  const int64_t most = profile.memory_per_node;
  if (!(needed <= static_cast<double>(most))) {
    refuse(c, profile,
           fmt::format("needs {:.0f} MiB of host memory on each node; memory_per_node is {}", needed, most));
  }
  shape.memory_per_node = std::min(round_up(needed, memory_granule), most);
}

double memory_of_a_node(const RunPlan& plan, int64_t ranks, const ClusterProfile& profile) {
  const auto host = static_cast<double>(plan.memory.host_of_node(ranks));
  const bool device_is_host = plan.settings.backend == BackendKind::cpu;
  const auto device = device_is_host ? static_cast<double>(ranks * plan.memory.device_total()) : 0.0;
  return (host + device) / mib * memory_margin + static_cast<double>(ranks * profile.host_memory_per_rank);
}

double seconds_by_profile(const PlannedConfiguration& c, const ClusterProfile& profile) {
  MachineRates rates;
  rates.flops_per_rank = profile.teraflops_per_rank * 1e12;
  if (c.spec.link_bandwidth > 0) rates.link_bytes_per_second = c.spec.link_bandwidth * 1e9;
  rates.startup_seconds = static_cast<double>(profile.startup_seconds);
  return predict_time(work_of(*c.run), rates).total();
}

int64_t predicted_seconds(const PlannedConfiguration& c, const ClusterProfile& profile,
                          const std::optional<double>& on_machine) {
  const double predicted =
      on_machine ? *on_machine + static_cast<double>(profile.startup_seconds) : seconds_by_profile(c, profile);
  const double margin = on_machine ? margin_of_interval : time_margin;
  if (!std::isfinite(predicted) || predicted < 0) {
    refuse(c, profile,
           fmt::format(
               "its predicted time is {} s, which is not possible; give --time, or correct teraflops_per_rank ({:g}) "
               "or link_bandwidth ({:g})",
               predicted, profile.teraflops_per_rank, c.spec.link_bandwidth));
  }
  const double asked = std::max(predicted * margin + static_cast<double>(profile.signal_before_end),
                                static_cast<double>(profile.shortest_time));
  if (asked > static_cast<double>(profile.time_limit)) {
    refuse(c, profile,
           fmt::format("needs {:.6g} s of time (predicted, with a margin); time_limit is {}", asked,
                       format_duration(profile.time_limit)));
  }
  return round_up(asked, asked > static_cast<double>(time_granule) ? time_granule : short_granule);
}

}  // namespace

ResourceShape shape_of(const PlannedConfiguration& c, const ClusterProfile& profile, std::optional<int64_t> seconds,
                       std::optional<double> predicted) {
  ResourceShape shape;
  shape.ranks = c.spec.ranks;
  set_nodes(shape, c, profile);
  if (c.spec.backend == BackendKind::cuda) set_gpus(shape, c, profile);
  set_memory(shape, memory_of_a_node(*c.run, shape.ranks / shape.nodes, profile), c, profile);
  if (seconds && *seconds > profile.time_limit) {
    refuse(c, profile,
           fmt::format("asks for {} of time; time_limit is {}", format_duration(*seconds),
                       format_duration(profile.time_limit)));
  }
  // A request that only rounding moved beyond the limit asks for the limit.
  shape.seconds = seconds ? *seconds : std::min(predicted_seconds(c, profile, predicted), profile.time_limit);
  return shape;
}

ResourceShape shape_on_other_cluster(const PlannedConfiguration& c, const ResourceShape& before,
                                     const ClusterProfile& old_profile, const ClusterProfile& profile) {
  ResourceShape shape = before;
  set_nodes(shape, c, profile);
  if (before.gpus_per_node > 0) set_gpus(shape, c, profile);
  // Memory that the ranks of a node share does not shrink with their number.
  const double shared = c.run ? static_cast<double>(c.run->memory.host_shared) / mib * memory_margin : 0.0;
  const double a_rank = std::max(0.0, static_cast<double>(before.memory_per_node) - shared) *
                        static_cast<double>(before.nodes) / static_cast<double>(before.ranks);
  const auto more =
      static_cast<double>(std::max<int64_t>(0, profile.host_memory_per_rank - old_profile.host_memory_per_rank));
  const int64_t ranks_a_node = shape.ranks / shape.nodes;
  set_memory(shape, shared + static_cast<double>(ranks_a_node) * (a_rank + more), c, profile);
  return shape;
}

}  // namespace wansweep
