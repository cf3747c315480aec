#include "orchestrator/engines/followed_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

using Names = std::vector<std::string_view>;

// The settings that every engine follows.
const Names& common() {
  static const Names names{"engine", "model", "model_id", "resolver", "size", "frames", "seed", "steps", "flow_shift",
                           "sigma_schedule", "boundary_ratio", "guidance_scale", "guidance_scale_2", "ranks", "ulysses",
                           "ring", "offload", "backend", "precision", "weights", "prompt", "engine_profile",
                           // Settings of recording whose meaning every engine fulfils anyway.
                           "trace_detail", "allow_nonfinite"};
  return names;
}

// The settings that SGLang follows beyond those.
const Names& own(EngineKind engine) {
  static const Names of_sglang{"engine_version", "cfg_parallel", "prefetch", "host_memory"};
  static const Names of_diffusers{"inputs"};
  static const Names none;
  switch (engine) {
    case EngineKind::wansweep:
      break;
    case EngineKind::sglang:
      return of_sglang;
    case EngineKind::diffusers:
      return of_diffusers;
  }
  return none;
}

bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view title_of(EngineKind engine) {
  switch (engine) {
    case EngineKind::wansweep:
      return "wansweep-worker";
    case EngineKind::sglang:
      return "SGLang";
    case EngineKind::diffusers:
      return "diffusers";
  }
  return {};
}

bool follows(EngineKind engine, std::string_view setting) {
  if (engine == EngineKind::wansweep) {
    return setting != "engine_version" && setting != "prompt" && setting != "engine_profile";
  }
  return has(common(), setting) || has(own(engine), setting);
}

void drop_settings_of_others(RunSettings& settings) {
  const auto drop = [&settings](const char* name) {
    reset_field(settings, *find_field(name));
    settings.origins.erase(name);
  };
  if (settings.engine != EngineKind::sglang) drop("engine_version");
  if (settings.engine == EngineKind::wansweep) drop("engine_profile");
}

void refuse_unfollowed(const RunSettings& settings) {
  for (const Field& field : fields()) {
    if (follows(settings.engine, field.name)) continue;
    const nlohmann::json value = get_field(settings, field);
    if (value == default_of(field)) continue;
    const std::string hint = field.name == "prompt"
                                 ? "make `inputs` from a prompt with diffusers_run.py --save-embeddings"
                                 : fmt::format("leave it out for engine {}", name_of(settings.engine));
    throw bad_input(fmt::format("{} is {}, but {} does not follow this setting: {}", field.name,
                                value.is_string() ? value.get<std::string>() : value.dump(), title_of(settings.engine),
                                hint));
  }
}

void mark_unfollowed(RunSettings& settings) {
  if (settings.engine == EngineKind::wansweep) return;
  for (const Field& field : fields()) {
    if (!follows(settings.engine, field.name)) settings.origins[std::string(field.name)].origin = not_followed_origin;
  }
}

}  // namespace wansweep
