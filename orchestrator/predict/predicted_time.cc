#include "orchestrator/predict/predicted_time.h"

#include "schema/model_config.h"

namespace wansweep {

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
  work.bytes_over_link = static_cast<double>(plan.moved.total());
  work.ranks_sharing_link = settings.link == LinkSharing::shared ? work.ranks : 1;
  return work;
}

}  // namespace wansweep
