// The plan is computed in the order of its dependencies: the model's sizes, the precision, the latents and their
// tokens, the ranks that share them, the steps and the switch step, and last the memory that all of this takes on the
// device and the host.

#include "schema/run_plan.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/units.h"

namespace wansweep {
namespace {

using nlohmann::json;

// Members that older plans do not have. A run that was planned without them has not changed.
constexpr std::array<std::string_view, 6> figures_added_later{"block_slots",
                                                              "block_bytes",
                                                              "first_load_bytes",
                                                              "moved_in_loop_bytes",
                                                              "moved_in_median_step_bytes",
                                                              "moved_in_largest_step_bytes"};

void check_model(const ModelConfig& config) {
  if (config.in_channels == config.out_channels) return;
  throw bad_input(
      fmt::format("model has {} input and {} output channels; the worker runs text-to-video models only, which have "
                  "the same number of both",
                  config.in_channels, config.out_channels));
}

DType dtype_of(const RunSettings& settings) {
  switch (settings.precision) {
    case Precision::automatic:
      break;
    case Precision::fp32:
      return DType::f32;
    case Precision::bf16:
      return DType::bf16;
  }
  return settings.backend == BackendKind::cuda ? DType::bf16 : DType::f32;
}

ParallelPlan parallel_plan_of(const RunSettings& settings, int heads, int64_t tokens) {
  const auto narrow = [](const std::optional<int64_t>& value) {
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
  };
  ParallelRequest request;
  request.ranks = static_cast<int>(settings.ranks);
  request.cfg_parallel = settings.cfg_parallel;
  request.ulysses = narrow(settings.ulysses);
  request.ring = narrow(settings.ring);
  request.heads = heads;
  request.tokens = tokens;
  return make_parallel_plan(request);
}

// The number of block slots of offload planned: as many as device_budget holds, or what device_memory leaves.
int slots_in_budget(const RunPlan& plan, const LoopShape& shape) {
  constexpr int fewest = 2;  // one that computes, one on its way
  const RunSettings& settings = plan.settings;
  const int blocks = experts_used(shape) * shape.layers;
  const int64_t block = plan.weights.block;
  const auto slots_in = [&](int64_t bytes) { return static_cast<int>(std::clamp<int64_t>(bytes / block, 0, blocks)); };
  if (settings.device_budget.gib) {
    const int slots = slots_in(static_cast<int64_t>(*settings.device_budget.gib * gibibyte));
    if (slots >= std::min(fewest, blocks)) return slots;
    throw bad_input(
        fmt::format("device_budget is {} GiB; a block takes {:.3g} GiB, and at least two must fit: one that "
                    "computes and one that is being copied",
                    *settings.device_budget.gib, to_gib(block)));
  }
  const std::optional<int64_t> limit = device_memory_limit(settings);
  if (!limit) {
    throw bad_input(
        "device_budget is auto, which needs device_memory, and device_memory is not set; set device_memory "
        "(GiB that a rank may use), or give device_budget in GiB");
  }
  const int64_t activations = activation_bytes(plan.activations, plan.parallel).total();
  return std::max(slots_in(*limit - activations - experts_used(shape) * plan.weights.other), std::min(fewest, blocks));
}

// With `auto`, only where the cache is small beside the memory that blocks could use. The CPU backend stands in for a
// GPU whose step is long beside the text's products: there, a step that fills the cache would stand out.
bool keeps_text(const RunPlan& plan) {
  constexpr int least_share = 20;
  switch (plan.settings.text_cache) {
    case Choice::off:
      return false;
    case Choice::on:
      return true;
    case Choice::automatic:
      break;
  }
  if (plan.settings.backend == BackendKind::cpu) return false;
  const std::optional<int64_t> limit = device_memory_limit(plan.settings);
  ActivationRequest kept = plan.activations;
  kept.keeps_text = true;
  return !limit || activation_bytes(kept, plan.parallel).text_cache * least_share <= *limit;
}

// Each group must have at least one head of every Ulysses rank.
void check_exchange_groups(const RunSettings& settings, const ParallelPlan& parallel) {
  if (settings.exchange_groups <= 1) return;
  if (parallel.ulysses == 1) {
    throw bad_input(
        fmt::format("exchange_groups is {}; with ulysses 1 no heads are exchanged, so only 0 and 1 are possible",
                    settings.exchange_groups));
  }
  const int fewest = parallel.heads_per_ulysses_rank.back();
  if (settings.exchange_groups > fewest) {
    throw bad_input(fmt::format("exchange_groups is {0}; at most {2} is possible: with {1}, a rank has {2} heads",
                                settings.exchange_groups, parallel.name(), fewest));
  }
}

void check_device_memory(const RunPlan& plan) {
  const std::optional<int64_t> limit = device_memory_limit(plan.settings);
  const MemoryEstimate& memory = plan.memory;
  if (!limit || memory.device_total() <= *limit) return;
  throw Error(
      ExitCode::device_memory,
      fmt::format("device_memory is {} GiB; offload {} needs {:.2f} GiB of device memory a rank ({:.2f} weights, "
                  "{:.2f} activations)",
                  plan.settings.device_memory > 0 ? plan.settings.device_memory : default_cpu_device_gib,
                  name_of(plan.settings.offload), to_gib(memory.device_total()), to_gib(memory.device_weights),
                  to_gib(memory.device_activations)));
}

}  // namespace

std::vector<int> exchange_groups_to_try(const RunPlan& plan) {
  const int set = static_cast<int>(plan.settings.exchange_groups);
  if (set != 0) return {set};
  if (plan.parallel.ulysses == 1 || plan.settings.backend == BackendKind::cpu) return {1};
  std::vector<int> groups;
  for (const int each : {1, 2, 4}) {
    if (each <= plan.parallel.heads_per_ulysses_rank.back()) groups.push_back(each);
  }
  return groups;
}

bool copies_yield(double slowdown, double copy_seconds, double step_seconds) {
  constexpr double disturbed = 1.2;     // exchanges take at least so many times as long beside copies
  constexpr double most_copying = 0.5;  // of the step: exchanges and attention leave copies the rest
  return slowdown > disturbed && copy_seconds <= most_copying * step_seconds;
}

bool copies_cooperate(double whole, double parts) {
  constexpr double faster = 1.1;  // parts arrive sooner by at least this factor
  return parts * faster <= whole;
}

double blocks_of_step(const RunPlan& plan, double block_seconds) {
  const LoopShape shape = loop_shape(plan, 0);
  return block_seconds * shape.layers * static_cast<double>(shape.forwards.size());
}

std::optional<int64_t> device_memory_limit(const RunSettings& settings) {
  if (settings.device_memory > 0) return static_cast<int64_t>(settings.device_memory * gibibyte);
  if (settings.backend == BackendKind::cpu) return static_cast<int64_t>(default_cpu_device_gib * gibibyte);
  return std::nullopt;
}

InputShape input_shape_of(const RunSettings& settings, const ModelIdentity& model) {
  if (!settings.inputs.empty()) return read_input_shape(settings.inputs, model.config);
  return {latent_shape(model.config.in_channels, *settings.frames, settings.height(), settings.width(),
                       {model.entry->vae_stride_time, model.entry->vae_stride_space}),
          encoded_text_tokens};
}

RunPlan make_run_plan(RunSettings resolved, const ModelIdentity& model, const InputShape& input) {
  validate(resolved);
  check_model(model.config);
  RunPlan plan;
  plan.settings = std::move(resolved);
  plan.model = model;
  plan.type = dtype_of(plan.settings);
  plan.input = input;
  plan.tokens = token_count(model.config, input.latents);
  plan.parallel = parallel_plan_of(plan.settings, model.config.heads, plan.tokens);
  check_exchange_groups(plan.settings, plan.parallel);

  plan.sigmas = make_flow_schedule(plan.settings.sigma_schedule, static_cast<int>(*plan.settings.steps),
                                   *plan.settings.flow_shift);
  if (model.two_experts && plan.settings.boundary_ratio) {
    plan.switch_step = switch_step(plan.sigmas, *plan.settings.boundary_ratio);
  }
  plan.guided = *plan.settings.guidance_scale > 1;

  plan.activations.config = model.config;
  plan.activations.type = plan.type;
  plan.activations.text_tokens = input.text_tokens;
  plan.activations.both_forwards = loop_shape(plan, 0).forwards.size() > 1;
  plan.activations.order = plan.settings.guidance_order;
  plan.activations.keeps_text = keeps_text(plan);
  plan.weights = weight_bytes(model.config, plan.type, plan.experts());
  const Schedule schedule = schedule_of(plan);
  plan.block_slots = schedule.slots;
  plan.memory = estimate_memory(plan.weights, schedule, activation_bytes(plan.activations, plan.parallel),
                                plan.settings.host_store);
  plan.moved = moved_bytes(plan.weights, schedule, list_uses(loop_shape(plan, 0)));
  check_device_memory(plan);
  return plan;
}

LoopShape loop_shape(const RunPlan& plan, int rank) {
  LoopShape shape;
  shape.steps = static_cast<int>(*plan.settings.steps);
  shape.switch_step = plan.switch_step;
  shape.experts = plan.experts();
  shape.layers = plan.model.config.layers;
  shape.forwards = forwards_of_rank(plan.guided, plan.parallel, rank);
  shape.order = plan.settings.guidance_order;
  return shape;
}

Schedule schedule_of(const RunPlan& plan) {
  const LoopShape shape = loop_shape(plan, 0);
  ScheduleOptions options;
  options.prefetch = prefetch_blocks(plan.settings.prefetch, shape.layers);
  if (plan.settings.offload == OffloadMode::planned) options.slots = slots_in_budget(plan, shape);
  return make_schedule(plan.settings.offload, shape, list_uses(shape), options);
}

RunPlan make_run_plan(RunSettings settings) {
  const ModelIdentity model = resolve_settings(settings);
  validate(settings);  // before the sizes are computed
  const InputShape input = input_shape_of(settings, model);
  return make_run_plan(std::move(settings), model, input);
}

json plan_to_json(const RunPlan& plan) {
  const auto number_or_null = [](const std::optional<int>& number) { return number ? json(*number) : json(); };
  const LatentShape& latents = plan.input.latents;
  json out = {{"model_id", plan.model.entry->id},
              {"experts", plan.experts()},
              {"type", plan.type == DType::f32 ? "fp32" : "bf16"},
              {"latents", {latents.channels, latents.frames, latents.height, latents.width}},
              {"text_tokens", plan.input.text_tokens},
              {"tokens", plan.tokens},
              {"tokens_per_rank", plan.parallel.tokens_per_rank},
              {"cfg", plan.parallel.cfg},
              {"ulysses", plan.parallel.ulysses},
              {"ring", plan.parallel.ring},
              {"switch_step", number_or_null(plan.switch_step)},
              {"catalog_switch_step", number_or_null(catalog_switch_step(plan.settings))},
              {"block_slots", plan.block_slots},
              {"block_bytes", plan.weights.block},
              {"first_load_bytes", plan.moved.before_loop},
              {"moved_in_loop_bytes", plan.moved.in_loop},
              {"moved_in_median_step_bytes", plan.moved.median_step},
              {"moved_in_largest_step_bytes", plan.moved.most_in_step},
              {"device_weights_bytes", plan.memory.device_weights},
              {"device_activations_bytes", plan.memory.device_activations},
              {"host_weights_bytes", plan.memory.host_weights},
              {"host_ring_bytes", plan.memory.host_ring}};
  // Older plans do not have this member; a run that was planned without it has not changed.
  if (plan.memory.host_shared > 0) out["host_shared_bytes"] = plan.memory.host_shared;
  return out;
}

std::string plan_difference(const json& planned, const json& made) {
  const bool is_of_before = planned.is_object() && !planned.empty() && !planned.contains(figures_added_later.front());
  for (const auto& [name, value] : made.items()) {
    if (is_of_before && std::ranges::find(figures_added_later, name) != figures_added_later.end()) continue;
    const json before = planned.is_object() ? planned.value(name, json()) : json();
    if (before != value) return fmt::format("{} was planned as {}, and is now {}", name, before.dump(), value.dump());
  }
  return "";
}

}  // namespace wansweep
