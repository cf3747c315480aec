// SGLang's way from a model path to a configuration, as its registry.py had it in December 2025 (after PR #13445) and
// in March 2026 (after PR #19607). The name decides; the files give only the pipeline's class, which falls back to
// Wan2.1's smallest configuration. It is here so that a misresolved run can be reproduced on purpose.

#include <algorithm>
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

// Detectors in registration order, with the entry that each stands for.
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

// Python's path.split("/")[-1].lower(): empty after a trailing slash.
std::string short_name(const std::string& path) { return lower(path.substr(path.rfind('/') + 1)); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Registered entries, the longest name first, as SGLang looks through them.
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

Match match_2025_12(const std::string& path, const std::string& class_name) {
  for (const Registered& each : registry()) {
    if (path == each.hub_name) return {&each, "exact hub name"};
  }
  for (const Registered* each : by_length()) {
    if (short_name(path) == short_name(each->hub_name)) return {each, "the last part of the path is a registered name"};
  }
  Match match = match_detectors(path, class_name);
  if (match.entry == nullptr) match.rule = "no name and no detector matches: No model info found";
  return match;
}

Match match_2026_03(const std::string& path, const std::string& class_name, const std::string& declared_id) {
  if (!declared_id.empty()) {
    const std::string wanted = short_name(catalog_entry(declared_id).hub_name);
    for (const Registered& each : registry()) {
      if (short_name(each.hub_name) == wanted) return {&each, "--model-id"};
    }
  }
  for (const Registered& each : registry()) {
    if (path == each.hub_name) return {&each, "exact hub name"};
  }
  for (const Registered* each : by_length()) {
    if (contains(short_name(path), short_name(each->hub_name)))
      return {each, "a registered name is in the last part of the path"};
  }
  for (const Registered* each : by_length()) {
    std::string fragment = each->hub_name;
    fragment.replace(fragment.find('/'), 1, "--");
    if (contains(lower(path), lower("models--" + fragment))) return {each, "a hub cache folder is in the path"};
  }
  Match match = match_detectors(path, class_name);
  if (match.entry == nullptr) match.rule = "no name and no detector matches: left to the diffusers backend";
  return match;
}

}  // namespace

SglangVerdict sglang_verdict(ResolverKind resolver, const std::string& path, const std::string& declared_id) {
  // A run without a checkpoint stands for the published model of its id, kept as the study kept it.
  const std::string looked_up = path.empty() ? "./models/wan2.2" : path;
  nlohmann::json index = path.empty() ? nlohmann::json::object() : index_of(path);
  if (path.empty() && !declared_id.empty()) {
    const CatalogEntry& entry = catalog_entry(declared_id);
    index["_class_name"] = entry.class_name;
    if (entry.boundary_ratio) index["boundary_ratio"] = *entry.boundary_ratio;
  }
  const std::string class_name =
      index.value("_class_name", nlohmann::json("")).is_string() ? index.value("_class_name", std::string()) : "";

  SglangVerdict verdict;
  Match match;
  switch (resolver) {
    case ResolverKind::files:
      throw Error(ExitCode::internal, "the resolver `files` is not one of SGLang's");
    case ResolverKind::sglang_2025_12:
      match = match_2025_12(looked_up, class_name);
      verdict.shards_frames = true;
      break;
    case ResolverKind::sglang_2026_03:
      match = match_2026_03(looked_up, class_name, path.empty() ? "" : declared_id);
      break;
  }
  verdict.rule = match.rule;
  if (match.entry == nullptr) return verdict;
  const Registered& entry = *match.entry;
  verdict.config = entry.config;
  verdict.flow_shift = entry.flow_shift;
  verdict.guidance_scale = entry.guidance_scale;
  verdict.guidance_scale_2 = entry.guidance_scale_2.value_or(entry.guidance_scale);
  verdict.steps = entry.steps;
  verdict.width = entry.width;
  verdict.height = entry.height;
  verdict.frames = entry.frames;
  // What survives a misresolution: composed_pipeline_base reads the boundary from model_index.json.
  verdict.boundary_ratio = entry.boundary_ratio;
  if (index.contains("boundary_ratio") && index["boundary_ratio"].is_number())
    verdict.boundary_ratio = index["boundary_ratio"].get<double>();
  return verdict;
}

int sglang_rounded_frames(int frames, int ranks) {
  const int latent = (frames - 1) / 4 + 1;
  const int rounded = (latent + ranks - 1) / ranks * ranks;
  return (rounded - 1) * 4 + 1;
}

}  // namespace wansweep
