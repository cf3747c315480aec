#include "orchestrator/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/units.h"
#include "orchestrator/plan/latents_file.h"
#include "schema/flow_schedule.h"
#include "schema/model_catalog.h"
#include "schema/weight_files.h"

namespace wansweep {
namespace {

constexpr int64_t default_text_tokens = 512;   // what the text encoder pads prompts to
constexpr double default_cpu_device_gib = 64;  // run_spec.h: device_memory 0 on the cpu backend

// What resolve_spec reads beside the settings that it fills.
constexpr std::array<std::string_view, 4> deciding_settings{"model", "resolver", "inputs", "ranks"};
constexpr std::array<std::string_view, 9> resolved_settings{
    "model_id", "flow_shift",     "boundary_ratio", "guidance_scale", "guidance_scale_2",
    "steps",    "sigma_schedule", "size",           "frames"};

// Each file is read once, and each model resolved once for all configurations that differ in nothing that resolving
// looks at: a sweep of thousands opens a handful of files.
class FileCache {
 public:
  const LatentsShape& latents(const std::string& file) {
    const auto found = latents_.find(file);
    if (found != latents_.end()) return found->second;
    return latents_.emplace(file, read_latents_shape(file)).first->second;
  }

  // Once a model, whatever else its configurations differ in: what is wrong with its weights, as check_model_weights
  // says it. Throws bad_input.
  void check_weights(const RunSpec& spec, const ModelIdentity& identity) {
    if (spec.weights != "files" || spec.model.empty()) return;
    auto found = weights_problems_.find(spec.model);
    if (found == weights_problems_.end()) {
      std::string problem;
      try {
        check_model_weights(spec.model, identity.config, identity.two_experts);
      } catch (const Error& error) {
        problem = error.what();
      }
      found = weights_problems_.emplace(spec.model, std::move(problem)).first;
    }
    if (!found->second.empty()) throw bad_input(found->second);
  }

  struct Resolved {
    RunSpec spec;
    ModelIdentity identity;
    bool shards_frames = false;  // the resolver's SGLang rounds latent frames up to a multiple of the ranks
  };

  const Resolved& resolve(RunSpec& spec) {
    const std::string key = key_of(spec);
    auto found = resolved_.find(key);
    if (found == resolved_.end()) {
      Resolved fresh{spec, {}};
      if (spec.resolver != "files") {
        fresh.shards_frames = sglang_verdict(spec.resolver, spec.model, spec.model_id).shards_frames;
      }
      fresh.identity = resolve_spec(fresh.spec);
      found = resolved_.emplace(key, std::move(fresh)).first;
    }
    const RunSpec& source = found->second.spec;
    for (const std::string_view name : resolved_settings) {
      std::visit([&](auto member) { spec.*member = source.*member; }, find_field(name)->member);
      const auto origin = source.origins.find(std::string(name));
      if (origin != source.origins.end()) spec.origins[origin->first] = origin->second;
    }
    return found->second;
  }

 private:
  static std::string key_of(const RunSpec& spec) {
    std::string key;
    for (const std::string_view name : deciding_settings) key += get_field(spec, *find_field(name)).dump() + '\n';
    for (const std::string_view name : resolved_settings) {
      key += get_field(spec, *find_field(name)).dump();
      key += spec.origins.contains(std::string(name)) ? "!\n" : "\n";  // set, or a default that may be replaced
    }
    return key;
  }

  std::unordered_map<std::string, LatentsShape> latents_;
  std::unordered_map<std::string, Resolved> resolved_;
  std::unordered_map<std::string, std::string> weights_problems_;  // by model; empty: none
};

LatentsShape shape_from_size(const RunSpec& spec, const CatalogEntry& entry) {
  return {(*spec.frames - 1) / entry.vae_stride_time + 1, spec.height() / entry.vae_stride_space,
          spec.width() / entry.vae_stride_space, default_text_tokens};
}

int64_t count_tokens(const LatentsShape& shape, const ModelConfig& config, const std::string& file) {
  const auto check = [&](const char* what, int64_t size, int patch) {
    if (size < patch || size % patch != 0) {
      throw bad_input(fmt::format("{}: initial_latents has {} {}; a multiple of the patch, {}, is needed", file, what,
                                  size, patch));
    }
  };
  check("frames", shape.frames, config.patch_frames);
  check("height", shape.height, config.patch_height);
  check("width", shape.width, config.patch_width);
  return (shape.frames / config.patch_frames) * (shape.height / config.patch_height) *
         (shape.width / config.patch_width);
}

int bytes_per_value(const RunSpec& spec) {
  if (spec.precision == "fp32") return 4;
  if (spec.precision == "bf16") return 2;
  return spec.backend == "cuda" ? 2 : 4;
}

template <class To, class From>
std::optional<To> narrow(const std::optional<From>& value) {
  return value ? std::optional<To>(static_cast<To>(*value)) : std::nullopt;
}

void check_device_memory(const RunSpec& spec, const MemoryEstimate& memory) {
  double limit = spec.device_memory;
  if (limit == 0 && spec.backend == "cpu") limit = default_cpu_device_gib;
  if (limit == 0) return;  // all that the device has, which is not known here
  const double needed = static_cast<double>(memory.device_total()) / gibibyte;
  if (needed <= limit) return;
  throw bad_input(
      fmt::format("device_memory is {:g} GiB; offload {} needs {:.2f} GiB on each device ({:.2f} weights, "
                  "{:.2f} activations)",
                  limit, spec.offload, needed, static_cast<double>(memory.device_weights) / gibibyte,
                  static_cast<double>(memory.device_activations) / gibibyte));
}

// An inputs file holds latents, whose frames nobody can round.
void warn_of_rounding(PlannedConfiguration& planned, int64_t frames) {
  const RunSpec& spec = planned.spec;
  const int64_t rounded = (frames + spec.ranks - 1) / spec.ranks * spec.ranks;
  if (rounded == frames) return;
  planned.warnings.push_back(
      fmt::format("inputs has {} latent frames and runs as it is; {} rounds them up to {} on {} ranks: give size and "
                  "frames in place of inputs to have that",
                  frames, spec.resolver, rounded, spec.ranks));
}

void plan_configuration(PlannedConfiguration& planned, FileCache& files) {
  RunSpec& spec = planned.spec;
  const FileCache::Resolved& resolved = files.resolve(spec);
  const ModelIdentity& identity = resolved.identity;
  validate(spec);
  files.check_weights(spec, identity);
  const LatentsShape shape = spec.inputs.empty() ? shape_from_size(spec, *identity.entry) : files.latents(spec.inputs);
  planned.tokens = count_tokens(shape, identity.config, spec.inputs.empty() ? "size" : spec.inputs);

  ParallelRequest request;
  request.ranks = static_cast<int>(spec.ranks);
  request.cfg_parallel = spec.cfg_parallel;
  request.ulysses = narrow<int>(spec.ulysses);
  request.ring = narrow<int>(spec.ring);
  request.heads = identity.config.heads;
  request.tokens = planned.tokens;
  planned.parallel = make_parallel_plan(request);

  if (identity.two_experts && spec.boundary_ratio) {
    planned.switch_step = switch_step(
        make_flow_schedule(parse_sigma_schedule(spec.sigma_schedule), static_cast<int>(*spec.steps), *spec.flow_shift),
        *spec.boundary_ratio);
  }

  MemoryRequest memory;
  memory.config = identity.config;
  memory.two_experts = identity.two_experts;
  memory.offload = spec.offload;
  memory.prefetch = spec.prefetch;
  memory.bytes_per_value = bytes_per_value(spec);
  memory.text_tokens = shape.text_tokens;
  memory.guided = spec.guidance_scale.value_or(0) > 1;
  planned.memory = estimate_memory(memory, planned.parallel);
  check_device_memory(spec, planned.memory);
  planned.drift = configuration_drift(spec);
  if (resolved.shards_frames && !spec.inputs.empty()) warn_of_rounding(planned, shape.frames);
}

// Eight digits of the hash tell thousands of configurations apart; the rare two that share them get all the digits.
std::string configuration_name(const PlannedConfiguration& planned, std::unordered_set<std::string>& taken) {
  const RunSpec& spec = planned.spec;
  const std::string shift = spec.flow_shift ? fmt::format("shift{:g}", *spec.flow_shift) : "shift-open";
  const auto with = [&](size_t digits) {
    return fmt::format("r{}-{}-{}-{}", spec.ranks, spec.offload, shift, planned.hash.substr(0, digits));
  };
  std::string name = with(8);
  if (!taken.insert(name).second) {
    name = with(planned.hash.size());
    taken.insert(name);
  }
  return name;
}

}  // namespace

size_t Plan::problems() const {
  return static_cast<size_t>(std::count_if(configurations.begin(), configurations.end(),
                                           [](const PlannedConfiguration& c) { return !c.problem.empty(); }));
}

Plan make_plan(const Sweep& sweep) {
  Plan plan{sweep.name, sweep.file, sweep.repeats, {}};
  plan.configurations.reserve(sweep.configurations.size());
  FileCache files;
  std::unordered_set<std::string> names;
  std::unordered_map<std::string, size_t> by_hash;
  for (const Configuration& configuration : sweep.configurations) {
    PlannedConfiguration& planned = plan.configurations.emplace_back();
    planned.spec = configuration.spec;
    try {
      plan_configuration(planned, files);
    } catch (const Error& error) {
      planned.problem = fmt::format("{}: {}", configuration.place_of(error.what()), error.what());
    }
    planned.hash = spec_hash(planned.spec);
    planned.name = configuration_name(planned, names);
    const auto [first, is_new] = by_hash.emplace(planned.hash, plan.configurations.size() - 1);
    if (!is_new && planned.problem.empty()) {
      planned.problem = fmt::format("{}: the same configuration as the one of {}; remove one", configuration.where,
                                    sweep.configurations[first->second].where);
    }
  }
  return plan;
}

void refuse_problems(const Plan& plan) {
  const size_t count = plan.problems();
  if (count == 0) return;
  const auto first = std::find_if(plan.configurations.begin(), plan.configurations.end(),
                                  [](const PlannedConfiguration& c) { return !c.problem.empty(); });
  throw bad_input(fmt::format("{} of {} configurations cannot run; {}: {}", count, plan.configurations.size(),
                              first->name, first->problem));
}

std::string run_name(const PlannedConfiguration& configuration, int repeat) {
  return fmt::format("{}-{}", configuration.name, repeat);
}

}  // namespace wansweep
