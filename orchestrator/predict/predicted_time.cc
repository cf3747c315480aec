#include "orchestrator/predict/predicted_time.h"

#include "schema/model_config.h"

namespace wansweep {
namespace {

// Of one rank in the whole run. `resident` loads each expert once; `swap` loads the first, and at the switch moves it
// out and the second in; `layerwise` loads an expert anew for each forward that the rank takes part in.
double bytes_over_link(const RunPlan& plan, double expert_bytes, double forwards) {
  switch (plan.settings.offload) {
    case OffloadMode::resident:
      return plan.experts() * expert_bytes;
    case OffloadMode::swap:
      return (plan.experts() > 1 ? 3 : 1) * expert_bytes;
    case OffloadMode::layerwise:
      return forwards / plan.parallel.cfg * expert_bytes;
  }
  return 0;
}

}  // namespace

PredictedTime predict_time(const RunWork& work, const MachineRates& rates) {
  const double linear = 2 * work.parameters * work.tokens;
  const double attention = 4 * work.tokens * work.tokens * work.width * work.layers;
  PredictedTime time;
  time.startup = rates.startup_seconds;
  time.compute = work.forwards * (linear + attention) / (work.ranks * rates.flops_per_rank);
  time.transfer = work.bytes_over_link * work.ranks_sharing_link / rates.link_bytes_per_second;
  return time;
}

RunWork work_of(const RunPlan& plan) {
  const RunSettings& settings = plan.settings;
  const ModelConfig& config = plan.model.config;
  RunWork work;
  work.parameters = static_cast<double>(block_parameters(config) * config.layers + other_parameters(config));
  work.tokens = static_cast<double>(plan.tokens);
  work.width = static_cast<double>(config.dim());
  work.layers = config.layers;
  work.forwards = (plan.guided ? 2.0 : 1.0) * static_cast<double>(settings.steps.value_or(1));
  work.ranks = static_cast<double>(settings.ranks);
  work.bytes_over_link =
      bytes_over_link(plan, work.parameters * static_cast<double>(size_of(plan.type)), work.forwards);
  work.ranks_sharing_link = settings.link == LinkSharing::shared ? work.ranks : 1;
  return work;
}

}  // namespace wansweep
