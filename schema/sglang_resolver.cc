// How SGLang gets from a model path to a configuration: its registry.py at three dates, and in each release from 0.5.6
// to 0.5.23 (read from the wheels, whose digests are in tests/orchestrator/engines). The path's name decides; the files
// give only the pipeline's class, which falls back to Wan2.1's smallest configuration. The rules are here so that a
// misresolved run can be reproduced on purpose.
//
// The differences between the releases are data (Rules), and one function follows them. In order: --model-id if the
// release has it, the exact hub name, the path's last part, a folder of the hub's cache, and last the detectors.

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "schema/model_catalog.h"

namespace wansweep {

namespace {

struct Registered {
  const char* hub_name;
  const char* config;
  double flow_shift;
  std::optional<double> boundary_ratio;
  double guidance_scale;
  std::optional<double> guidance_scale_2;
  int steps, width, height, frames;
};

const std::vector<Registered>& registry() {
  static const std::vector<Registered> table{
      {"Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "WanT2V480PConfig", 3, {}, 3, {}, 50, 832, 480, 81},
      {"Wan-AI/Wan2.1-T2V-14B-Diffusers", "WanT2V720PConfig", 5, {}, 5, {}, 50, 1280, 720, 81},
      {"Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "WanI2V480PConfig", 3, {}, 5, {}, 50, 832, 480, 81},
      {"Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", "WanI2V720PConfig", 5, {}, 5, {}, 50, 1280, 720, 81},
      {"Wan-AI/Wan2.2-TI2V-5B-Diffusers", "Wan2_2_TI2V_5B_Config", 5, {}, 5, {}, 50, 1280, 704, 121},
      {"Wan-AI/Wan2.2-T2V-A14B-Diffusers", "Wan2_2_T2V_A14B_Config", 12, 0.875, 4, 3, 40, 1280, 720, 81},
      {"Wan-AI/Wan2.2-I2V-A14B-Diffusers", "Wan2_2_I2V_A14B_Config", 5, 0.9, 3.5, 3.5, 40, 1280, 720, 81},
  };
  return table;
}

// The detectors in the order of their registration, each with the entry that it selects.
struct Detector {
  const char* fragment;
  size_t entry;
};
constexpr Detector detectors[] = {{"wanpipeline", 0}, {"wanimagetovideo", 2}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Python's path.split("/")[-1].lower(): empty after a trailing slash, unless that is stripped first.
std::string short_name(std::string path, bool strip_slash) {
  while (strip_slash && path.ends_with('/')) path.pop_back();
  return lower(path.substr(path.rfind('/') + 1));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The registered entries, the longest name first: the order in which SGLang searches them.
std::vector<const Registered*> by_length() {
  std::vector<const Registered*> entries;
  for (const Registered& each : registry()) entries.push_back(&each);
  std::stable_sort(entries.begin(), entries.end(), [](const Registered* a, const Registered* b) {
    return std::string_view(a->hub_name).size() > std::string_view(b->hub_name).size();
  });
  return entries;
}

nlohmann::json index_of(const std::string& path) {
  const std::string file = (std::filesystem::path(path) / "model_index.json").string();
  return read_json_object_if_there(file).value_or(nlohmann::json::object());
}

enum class NameRule {
  hub_name_in_path,   // the path holds a registered hub name anywhere, "--" read as "/"
  last_part_is_name,  // the path's last part is a registered name
  name_in_last_part,  // the path's last part holds a registered name
};

struct Rules {
  bool takes_model_id = false;
  NameRule by_name = NameRule::last_part_is_name;
  bool strips_slash = false;  // a trailing slash is removed before the path's last part is taken
  bool by_cache_folder = false;
  bool falls_to_diffusers = false;  // a path that matches nothing goes to the diffusers backend; else it is an error
  bool shards_frames = false;       // ranks share latent frames, whose number is rounded up; else ranks share tokens
};

constexpr Rules november_2025{.by_name = NameRule::hub_name_in_path, .shards_frames = true};
constexpr Rules december_2025{.shards_frames = true};
constexpr Rules february_2026{.strips_slash = true, .shards_frames = true};
constexpr Rules march_2026{.takes_model_id = true,
                           .by_name = NameRule::name_in_last_part,
                           .by_cache_folder = true,
                           .falls_to_diffusers = true};
constexpr Rules september_2026{.takes_model_id = true,
                               .by_name = NameRule::name_in_last_part,
                               .strips_slash = true,
                               .by_cache_folder = true,
                               .falls_to_diffusers = true};

const Rules& rules_of(ResolverKind resolver) {
  switch (resolver) {
    case ResolverKind::files:
      break;
    case ResolverKind::sglang_2025_12:
      return december_2025;
    case ResolverKind::sglang_2026_03:
      return march_2026;
    case ResolverKind::sglang_2026_09:
      return september_2026;
  }
  throw Error(ExitCode::internal, "the resolver `files` is not one of SGLang's");
}

struct Match {
  const Registered* entry = nullptr;
  std::string rule;
};

Match match_detectors(const std::string& path, const std::string& class_name) {
  for (const Detector& detector : detectors) {
    const bool in_path = contains(lower(path), detector.fragment);
    if (!in_path && !contains(lower(class_name), detector.fragment)) continue;
    return {&registry()[detector.entry],
            fmt::format("detector: \"{}\" is in the {}", detector.fragment,
                        in_path ? std::string("path") : fmt::format("class name {}", class_name))};
  }
  return {};
}

Match match_name(const Rules& rules, const std::string& path) {
  const std::string last_part = short_name(path, rules.strips_slash);
  for (const Registered* each : by_length()) {
    switch (rules.by_name) {
      case NameRule::hub_name_in_path: {
        std::string cleaned = lower(path);
        for (size_t at = 0; (at = cleaned.find("--", at)) != std::string::npos; ++at) cleaned.replace(at, 2, "/");
        if (contains(cleaned, lower(each->hub_name))) return {each, "a registered hub name is in the path"};
        break;
      }
      case NameRule::last_part_is_name:
        if (last_part == short_name(each->hub_name, false)) {
          return {each, "the last part of the path is a registered name"};
        }
        break;
      case NameRule::name_in_last_part:
        if (contains(last_part, short_name(each->hub_name, false))) {
          return {each, "a registered name is in the last part of the path"};
        }
        break;
    }
  }
  return {};
}

Match match_cache_folder(const std::string& path) {
  for (const Registered* each : by_length()) {
    std::string fragment = each->hub_name;
    fragment.replace(fragment.find('/'), 1, "--");
    if (contains(lower(path), lower("models--" + fragment))) return {each, "a hub cache folder is in the path"};
  }
  return {};
}

Match match_model_id(const std::string& model_id) {
  for (const Registered& each : registry()) {
    if (short_name(each.hub_name, false) == lower(model_id)) return {&each, "--model-id"};
  }
  return {};
}

// `model_id`: the value of --model-id; empty: the option is not given.
Match match(const Rules& rules, const std::string& path, const std::string& class_name, const std::string& model_id) {
  std::string ignored;
  if (rules.takes_model_id && !model_id.empty()) {
    if (const Match found = match_model_id(model_id); found.entry != nullptr) return found;
    ignored = fmt::format("--model-id {} is unknown, which SGLang only warns of; ", model_id);
  }
  const auto said = [&ignored](Match found) {
    found.rule = ignored + found.rule;
    return found;
  };
  for (const Registered& each : registry()) {
    if (path == each.hub_name) return said({&each, "exact hub name"});
  }
  if (const Match found = match_name(rules, path); found.entry != nullptr) return said(found);
  if (rules.by_cache_folder) {
    if (const Match found = match_cache_folder(path); found.entry != nullptr) return said(found);
  }
  if (const Match found = match_detectors(path, class_name); found.entry != nullptr) return said(found);
  return said({nullptr, rules.falls_to_diffusers
                            ? "no name and no detector matches: SGLang leaves the path to its diffusers backend"
                            : "no name and no detector matches: No model info found"});
}

}  // namespace

namespace {

SglangVerdict verdict_of(const Rules& rules, const std::string& path, const std::string& declared_id,
                         const std::string& model_id) {
  // Without a checkpoint here, the model is the published one of its id; without a path, in a folder named as in the
  // study.
  const std::string looked_up = path.empty() ? "./models/wan2.2" : path;
  std::error_code unreadable;
  const bool files_are_here = !path.empty() && std::filesystem::exists(path, unreadable);
  nlohmann::json index = files_are_here ? index_of(path) : nlohmann::json::object();
  if (!files_are_here && !declared_id.empty()) {
    const CatalogEntry& entry = catalog_entry(declared_id);
    index["_class_name"] = entry.class_name;
    if (entry.boundary_ratio) index["boundary_ratio"] = *entry.boundary_ratio;
  }
  const std::string class_name =
      index.value("_class_name", nlohmann::json("")).is_string() ? index.value("_class_name", std::string()) : "";

  SglangVerdict verdict;
  const Match found = match(rules, looked_up, class_name, model_id);
  verdict.shards_frames = rules.shards_frames;
  verdict.rule = found.rule;
  if (found.entry == nullptr) return verdict;
  const Registered& entry = *found.entry;
  verdict.config = entry.config;
  verdict.flow_shift = entry.flow_shift;
  verdict.guidance_scale = entry.guidance_scale;
  verdict.guidance_scale_2 = entry.guidance_scale_2.value_or(entry.guidance_scale);
  verdict.steps = entry.steps;
  verdict.width = entry.width;
  verdict.height = entry.height;
  verdict.frames = entry.frames;
  // A misresolved run still gets the right boundary: composed_pipeline_base reads it from model_index.json.
  verdict.boundary_ratio = entry.boundary_ratio;
  if (index.contains("boundary_ratio") && index["boundary_ratio"].is_number())
    verdict.boundary_ratio = index["boundary_ratio"].get<double>();
  return verdict;
}

// The value of --model-id that selects the published model of this id; "" when there is no id.
std::string hub_model_id(const std::string& declared_id) {
  return declared_id.empty() ? "" : short_name(catalog_entry(declared_id).hub_name, false);
}

struct Release {
  std::string_view first, last;
  const Rules* rules;
};
constexpr Release releases[] = {
    {"0.5.6", "0.5.6.post2", &november_2025},
    {"0.5.7", "0.5.8.post1", &december_2025},
    {"0.5.9", "0.5.9", &february_2026},
    {"0.5.10", "0.5.23", &september_2026},
};

// "0.5.8.post1" as 0, 5, 8, 1: such lists sort as the versions do.
std::vector<int> version_numbers(std::string_view version) {
  std::vector<int> numbers;
  for (size_t at = 0; at < version.size();) {
    int number = 0;
    const auto [end, error] = std::from_chars(version.data() + at, version.data() + version.size(), number);
    if (error == std::errc()) numbers.push_back(number);
    at = std::max(static_cast<size_t>(end - version.data()), at + 1);
  }
  return numbers;
}

}  // namespace

SglangVerdict sglang_verdict(ResolverKind resolver, const std::string& path, const std::string& declared_id) {
  return verdict_of(rules_of(resolver), path, declared_id, path.empty() ? "" : hub_model_id(declared_id));
}

SglangVerdict sglang_release_verdict(const std::string& version, const std::string& path, const std::string& model_id,
                                     const std::string& declared_id) {
  const std::vector<int> numbers = version_numbers(version);
  for (const Release& release : releases) {
    if (numbers < version_numbers(release.first) || numbers > version_numbers(release.last)) continue;
    return verdict_of(*release.rules, path, declared_id, model_id);
  }
  throw bad_input(fmt::format("SGLang {} is unknown; versions 0.5.6 to 0.5.23 are known", version));
}

std::vector<SglangReleaseVerdict> sglang_release_verdicts(const std::string& path, const std::string& model_id) {
  std::vector<SglangReleaseVerdict> verdicts;
  for (const Release& release : releases) {
    verdicts.push_back({std::string(release.first), std::string(release.last), release.rules->takes_model_id,
                        verdict_of(*release.rules, path, "", model_id)});
  }
  return verdicts;
}

int sglang_rounded_frames(int frames, int ranks) {
  const int latent = (frames - 1) / 4 + 1;
  const int rounded = (latent + ranks - 1) / ranks * ranks;
  return (rounded - 1) * 4 + 1;
}

}  // namespace wansweep
