// The order: the engine and the files' settings, the checks, the model and its configuration, and last the marks of
// what is unknown. A model's path stays the text that the engine was given, since SGLang goes by that text.

#include "orchestrator/imports/imported_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/enum_names.h"
#include "base/error.h"
#include "orchestrator/engines/followed_settings.h"
#include "schema/model_catalog.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view from_user = "user";
constexpr std::string_view from_file = "file";
constexpr std::string_view from_log = "log";  // what SGLang printed

std::string_view origin_of(const EngineTrace& file) {
  return file.kind == EngineFileKind::engine_log ? from_log : from_file;
}

bool told_by(const RunSettings& settings, const std::string& name, std::string_view whom) {
  const auto found = settings.origins.find(name);
  return found != settings.origins.end() && found->second.origin == whom;
}

// "./models/wan2.2/" and "models/wan2.2" are one place.
std::string plain_path(const std::string& path) {
  std::string plain = fs::path(path).lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}

// The program that wrote a file; nullopt where several may have.
std::optional<EngineKind> writer_of(const EngineTrace& file) {
  switch (file.kind) {
    case EngineFileKind::perf_dump:
    case EngineFileKind::engine_log:
      return EngineKind::sglang;
    case EngineFileKind::step_record: {
      const auto name = file.environment.find("engine.name");
      return name == file.environment.end() ? std::nullopt : value_named<EngineKind>(name->second);
    }
    case EngineFileKind::kineto_trace:
    case EngineFileKind::nsight_export:
      break;
  }
  return std::nullopt;
}

void take_engine(const std::vector<EngineTrace>& files, RunSettings& settings) {
  for (const EngineTrace& file : files) {
    const std::optional<EngineKind> writer = writer_of(file);
    if (!writer) continue;
    if (settings.origins.contains("engine") && settings.engine != *writer) {
      throw bad_input(fmt::format("engine is {}, but {} is a {} of {}", name_of(settings.engine), file.file,
                                  name_of(file.kind), title_of(*writer)));
    }
    if (settings.origins.contains("engine")) continue;
    settings.engine = *writer;
    settings.origins["engine"].origin = origin_of(file);
  }
}

void take_model(const std::string& path, const EngineTrace& file, RunSettings& settings) {
  if (settings.origins.contains("model") && plain_path(settings.model) != plain_path(path)) {
    if (!told_by(settings, "model", from_user)) {
      throw bad_input(fmt::format("{}: says model {}, but another of the files says {}: they are of different runs",
                                  file.file, path, settings.model));
    }
    throw bad_input(fmt::format(
        "model is {}, but {} says {}, and the engine went by that path: leave --set model out, and say with --set "
        "model_id which model it is",
        settings.model, file.file, path));
  }
  if (told_by(settings, "model", from_file)) return;
  settings.model = path;
  settings.origins["model"] = {std::string(origin_of(file)), "", ""};
}

// Takes settings that the user left open from the file. Throws bad_input when the user gave another value.
void take_settings_of(const EngineTrace& file, RunSettings& settings) {
  for (const auto& [name, text] : file.settings) {
    const Field* field = find_field(name);
    if (field == nullptr || !follows(settings.engine, name)) continue;
    if (name == "model") take_model(text, file, settings);
    if (field->is_path()) continue;
    const Json parsed = field->is_text() ? Json(text) : Json::parse(text, nullptr, false);
    RunSettings told;
    set_field(told, name, parsed.is_number() || parsed.is_boolean() ? parsed : Json(text), file.file);
    const Json value = get_field(told, *field);
    const auto given = settings.origins.find(name);
    if (given != settings.origins.end() && get_field(settings, *field) != value) {
      throw bad_input(
          fmt::format("{} is {}, but {} says {}: the run had other settings, or the file belongs to another run", name,
                      get_field(settings, *field).dump(), file.file, value.dump()));
    }
    if (given != settings.origins.end()) continue;
    set_field(settings, name, value, file.file);
    settings.origins[name].origin = origin_of(file);
  }
}

void take_counts(const std::vector<EngineTrace>& files, RunSettings& settings, std::vector<std::string>& notes) {
  if (!settings.origins.contains("ranks")) {
    if (const std::optional<int64_t> ranks = ranks_told(files)) {
      settings.ranks = *ranks;
      const bool other_than_log = std::ranges::any_of(files, [](const EngineTrace& file) {
        return file.kind != EngineFileKind::engine_log && (file.ranks || file.rank.value_or(0) > 0);
      });
      settings.origins["ranks"].origin = other_than_log ? from_file : from_log;
    } else {
      notes.emplace_back("no file tells the number of ranks, so it stays unknown; --set ranks=N tells it");
    }
  }
  if (settings.steps) return;
  for (const EngineTrace& file : files) {
    if (file.kind != EngineFileKind::perf_dump && file.kind != EngineFileKind::step_record) continue;
    if (!file.steps.empty()) settings.steps = file.steps.back().step;
  }
  if (settings.steps) settings.origins["steps"].origin = from_file;
}

void check_settings(const RunSettings& settings) {
  if (settings.engine == EngineKind::wansweep) {
    throw bad_input("engine is not set; give --set engine=sglang or --set engine=diffusers");
  }
  if (!settings.origins.contains("offload")) {
    throw bad_input(
        "offload is not set; give --set offload=resident, swap or layerwise: no file tells how weights "
        "move (SGLang's log often does, in its line server_args)");
  }
  for (const Field& field : fields()) check_bounds(settings, field);
  refuse_unfollowed(settings);
}

// What the model is; nullptr when nothing here tells it.
const CatalogEntry* identify(const RunSettings& settings, std::vector<std::string>& notes) {
  std::error_code unreadable;
  if (!settings.model.empty() && fs::is_directory(settings.model, unreadable)) {
    try {
      return identify_model(settings.model, settings.model_id).entry;
    } catch (const Error& error) {
      if (told_by(settings, "model", from_user) || !settings.model_id.empty()) throw;
      notes.emplace_back(error.what());
      return nullptr;
    }
  }
  const CatalogEntry* by_name = published_model(settings.model);
  if (settings.model_id.empty()) return by_name;
  const CatalogEntry& declared = catalog_entry(settings.model_id);
  if (by_name == nullptr || by_name == &declared) return &declared;
  throw bad_input(
      fmt::format("model_id is {}, but model is {}, which is {}", settings.model_id, settings.model, by_name->id));
}

// The configuration that the run's SGLang took, and the rules that say so.
struct UsedConfiguration {
  SglangVerdict verdict;
  std::string rules;
  std::string found_by;  // "SGLang 0.5.9"
};

// With resolver `files`, flags gave SGLang the model's official values, as in a sweep.
UsedConfiguration of_catalog(const CatalogEntry* entry) {
  if (entry == nullptr) throw bad_input("resolver is files, but nothing tells the model; --set model_id does");
  SglangVerdict official;
  official.config = entry->hub_name;
  official.rule = "resolver files";
  official.flow_shift = entry->flow_shift;
  official.boundary_ratio = entry->boundary_ratio;
  official.guidance_scale = entry->guidance_scale;
  official.guidance_scale_2 = entry->guidance_scale_2.value_or(entry->guidance_scale);
  return {official, "catalog", "resolver files"};
}

std::optional<UsedConfiguration> used_configuration(const RunSettings& settings, const CatalogEntry* entry) {
  if (settings.engine != EngineKind::sglang) return std::nullopt;
  const std::string id = entry != nullptr ? entry->id : "";
  if (settings.origins.contains("resolver")) {
    if (settings.resolver == ResolverKind::files) return of_catalog(entry);
    const std::string rules(name_of(settings.resolver));
    return UsedConfiguration{sglang_verdict(settings.resolver, settings.model, id), rules, "resolver " + rules};
  }
  if (settings.model.empty() || settings.engine_version.empty()) return std::nullopt;
  return UsedConfiguration{sglang_release_verdict(settings.engine_version, settings.model, "", id),
                           "sglang-" + settings.engine_version, "SGLang " + settings.engine_version};
}

// The settings whose value the rules gave, "flow_shift 3, guidance_scale 3".
std::string settings_by(const std::string& rules, const RunSettings& settings) {
  std::vector<std::string> named;
  for (const auto& [name, origin] : settings.origins) {
    if (origin.origin != rules || name == "model_id") continue;
    named.push_back(fmt::format("{} {}", name, get_field(settings, *find_field(name)).dump()));
  }
  return fmt::format("{}", fmt::join(named, ", "));
}

void resolve(RunSettings& settings, std::vector<std::string>& notes) {
  const CatalogEntry* entry = identify(settings, notes);
  if (entry != nullptr && settings.model_id.empty()) {
    settings.model_id = entry->id;
    settings.origins["model_id"].origin = "catalog";
  }
  std::optional<UsedConfiguration> used;
  try {
    used = used_configuration(settings, entry);
  } catch (const Error& error) {
    notes.push_back(fmt::format("{}; settings that are not told stay unknown", error.what()));
  }
  if (used && used->verdict.config.empty()) {
    notes.push_back(
        fmt::format("{} has no configuration for model {} ({}); settings that are not told stay unknown{}",
                    used->found_by, settings.model, used->verdict.rule,
                    entry == nullptr ? "; --set model_id says which model it is, since its files are not here" : ""));
    used.reset();
  }
  if (settings.engine == EngineKind::sglang && !settings.origins.contains("sigma_schedule")) {
    settings.sigma_schedule = SigmaSchedule::sglang;  // SGLang has no other
    settings.origins["sigma_schedule"].origin = "sglang";
  }
  resolve_partly(settings, entry, used ? &used->verdict : nullptr, used ? used->rules : "");
  if (used) {
    if (const std::string concluded = settings_by(used->rules, settings); !concluded.empty()) {
      notes.push_back(fmt::format(
          "{} takes model {} for {} ({}), which gives {}; if a flag gave another value, say so: --set NAME=VALUE",
          used->found_by, settings.model, used->verdict.config, used->verdict.rule, concluded));
    }
  }
  for (std::string& line : configuration_drift(settings)) notes.push_back(std::move(line));
}

void mark_unknown(RunSettings& settings) {
  mark_unfollowed(settings);
  for (const Field& field : fields()) {
    const std::string name(field.name);
    if (!settings.origins.contains(name)) settings.origins[name].origin = unknown_origin;
  }
}

}  // namespace

std::optional<int64_t> ranks_told(const std::vector<EngineTrace>& files) {
  std::optional<int64_t> ranks;
  for (const EngineTrace& file : files) {
    const int64_t least = file.ranks ? *file.ranks : file.rank.value_or(0) + int64_t{1};
    if (file.ranks || least > 1) ranks = std::max(ranks.value_or(0), least);
  }
  return ranks;
}

RunSettings imported_settings(RunSettings told, const std::vector<EngineTrace>& files,
                              std::vector<std::string>& notes) {
  take_engine(files, told);
  for (const EngineTrace& file : files) take_settings_of(file, told);
  take_counts(files, told, notes);
  check_settings(told);
  resolve(told, notes);
  mark_unknown(told);
  return told;
}

void refuse_other_version(const std::vector<EngineTrace>& files, const RunSettings& settings) {
  for (const EngineTrace& file : files) {
    const auto told = file.settings.find("engine_version");
    if (told == file.settings.end() || settings.engine_version.empty()) continue;
    if (told->second == settings.engine_version) continue;
    throw bad_input(
        fmt::format("engine_version is {}, but {} was written by {}: start that release, or correct "
                    "engine_version",
                    settings.engine_version, file.file, told->second));
  }
}

RunSettings told_settings(const RunSettings& imported) {
  RunSettings told;
  for (const auto& [name, origin] : imported.origins) {
    if (origin.origin == from_user) set_field(told, name, get_field(imported, *find_field(name)), "spec.json");
  }
  return told;
}

}  // namespace wansweep
