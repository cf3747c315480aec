// Each configuration is planned by itself, and its problem is kept beside it, so that `plan` shows all problems at
// once, and figures for the configurations that can run. Verbs that start runs call refuse_problems. Hash and name are
// made after resolving: they identify the settings that run, not the text of the sweep. So two lines of a matrix that
// resolve to the same settings are one configuration, and the second line is a problem. Careful with the key of
// FileCache: every setting that resolve_settings reads must be among deciding_settings or resolved_settings();
// otherwise configurations that differ in it share one answer.

#include "orchestrator/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/units.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/engines/followed_settings.h"
#include "orchestrator/plan/idle_settings.h"
#include "schema/flow_schedule.h"
#include "schema/model_catalog.h"
#include "schema/setting_fields.h"
#include "schema/weight_files.h"

namespace wansweep {
namespace {

// The settings that resolve_settings reads beside those that it fills.
constexpr std::array<std::string_view, 4> deciding_settings{"model", "resolver", "inputs", "ranks"};

// Reads each file once, and resolves each model once for all configurations with the same values of the settings that
// resolving reads: a sweep of thousands of runs opens only a few files.
class FileCache {
 public:
  // The settings must be resolved and valid.
  InputShape input_shape(const RunSettings& spec, const ModelIdentity& model) {
    if (spec.inputs.empty()) return input_shape_of(spec, model);
    const auto key = std::pair(spec.inputs, model.entry);
    const auto found = inputs_.find(key);
    if (found != inputs_.end()) return found->second;
    return inputs_.emplace(key, input_shape_of(spec, model)).first->second;
  }

  // Checks the weights of each model once. Throws bad_input as check_model_weights does.
  void check_weights(const RunSettings& spec, const ModelIdentity& identity) {
    if (random_weights_seed(spec.weights)) return;
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
    RunSettings spec;
    ModelIdentity identity;
    bool shards_frames = false;  // the resolver's SGLang rounds latent frames up to a multiple of the ranks
  };

  const Resolved& resolve(RunSettings& spec) {
    const std::string key = key_of(spec);
    auto found = resolved_.find(key);
    if (found == resolved_.end()) {
      Resolved fresh{spec, {}};
      if (spec.resolver != ResolverKind::files) {
        fresh.shards_frames = sglang_verdict(spec.resolver, spec.model, spec.model_id).shards_frames;
      }
      fresh.identity = resolve_settings(fresh.spec);
      found = resolved_.emplace(key, std::move(fresh)).first;
    }
    const RunSettings& source = found->second.spec;
    for (const std::string_view name : resolved_settings()) {
      std::visit([&](auto member) { spec.*member = source.*member; }, find_field(name)->member);
      const auto origin = source.origins.find(std::string(name));
      if (origin != source.origins.end()) spec.origins[origin->first] = origin->second;
    }
    return found->second;
  }

 private:
  static std::string key_of(const RunSettings& spec) {
    std::string key;
    for (const std::string_view name : deciding_settings) key += get_field(spec, *find_field(name)).dump() + '\n';
    for (const std::string_view name : resolved_settings()) {
      key += get_field(spec, *find_field(name)).dump();
      key += spec.origins.contains(std::string(name)) ? "!\n"
                                                      : "\n";  // set by the user, or a default that may be replaced
    }
    return key;
  }

  std::map<std::pair<std::string, const CatalogEntry*>, InputShape> inputs_;
  std::unordered_map<std::string, Resolved> resolved_;
  std::unordered_map<std::string, std::string> weights_problems_;  // by model; empty: none
};

// The frames of latents in a file of inputs cannot be rounded up.
void warn_of_rounding(PlannedConfiguration& planned, int64_t frames) {
  const RunSettings& spec = planned.spec;
  const int64_t rounded = (frames + spec.ranks - 1) / spec.ranks * spec.ranks;
  if (rounded == frames) return;
  planned.warnings.push_back(
      fmt::format("inputs has {} latent frames, which are used unchanged; {} would round them up to {} on {} ranks: to "
                  "reproduce that, "
                  "give size and frames in place of inputs",
                  frames, name_of(spec.resolver), rounded, spec.ranks));
}

bool is_in_base(const Configuration& configuration, std::string_view setting) {
  if (configuration.places == nullptr) return false;
  const auto place = configuration.places->find(setting);
  return place != configuration.places->end() && place->second.ends_with(": base");
}

// A setting in [base] may be there for some of the configurations only, so it is warned of when it serves none.
void warn_of_idle_settings(const Sweep& sweep, Plan& plan) {
  std::vector<std::vector<IdleSetting>> idle;
  std::set<std::string_view> names;
  for (const PlannedConfiguration& c : plan.configurations) {
    idle.push_back(c.run ? idle_settings(*c.run) : std::vector<IdleSetting>());
    for (const IdleSetting& each : idle.back()) names.insert(each.name);
  }
  std::set<std::string_view> serving;
  for (size_t i = 0; i < idle.size(); ++i) {
    for (const std::string_view name : names) {
      const bool is_idle = std::ranges::find(idle[i], name, &IdleSetting::name) != idle[i].end();
      if (!is_idle && is_given(plan.configurations[i].spec, name)) serving.insert(name);
    }
  }
  for (size_t i = 0; i < idle.size(); ++i) {
    PlannedConfiguration& planned = plan.configurations[i];
    for (const IdleSetting& each : idle[i]) {
      if (serving.contains(each.name) && is_in_base(sweep.configurations[i], each.name)) continue;
      planned.warnings.push_back(to_warning(planned.spec, each));
    }
  }
}

void plan_configuration(PlannedConfiguration& planned, FileCache& files) {
  RunSettings& spec = planned.spec;
  drop_settings_of_others(spec);
  const FileCache::Resolved& resolved = files.resolve(spec);
  validate(spec);
  files.check_weights(spec, resolved.identity);
  const InputShape input = files.input_shape(spec, resolved.identity);
  planned.run = make_run_plan(spec, resolved.identity, input);
  planned.warnings = check_engine(*planned.run);
  mark_unfollowed(spec);
  planned.drift = configuration_drift(spec);
  if (resolved.shards_frames && !spec.inputs.empty()) warn_of_rounding(planned, input.latents.frames);
}

// Eight digits of the hash are enough for thousands of configurations; two that share them get all digits.
std::string configuration_name(const PlannedConfiguration& planned, std::unordered_set<std::string>& taken) {
  const RunSettings& spec = planned.spec;
  const std::string shift = spec.flow_shift ? fmt::format("shift{:g}", *spec.flow_shift) : "shift-open";
  const std::string engine = has_script(spec.engine) ? fmt::format("{}-", name_of(spec.engine)) : "";
  const auto with = [&](size_t digits) {
    return fmt::format("r{}-{}{}-{}-{}", spec.ranks, engine, name_of(spec.offload), shift,
                       planned.hash.substr(0, digits));
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
    planned.hash = settings_hash(planned.spec);
    planned.name = configuration_name(planned, names);
    const auto [first, is_new] = by_hash.emplace(planned.hash, plan.configurations.size() - 1);
    if (!is_new && planned.problem.empty()) {
      planned.problem = fmt::format("{}: this configuration is the same as that of {}; remove one", configuration.where,
                                    sweep.configurations[first->second].where);
    }
  }
  warn_of_idle_settings(sweep, plan);
  return plan;
}

std::vector<const RunPlan*> run_plans(const Plan& plan) {
  std::vector<const RunPlan*> runs;
  runs.reserve(plan.configurations.size());
  for (const PlannedConfiguration& c : plan.configurations) runs.push_back(c.run ? &*c.run : nullptr);
  return runs;
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
