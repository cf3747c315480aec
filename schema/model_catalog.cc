// The catalog holds the published models' settings as data. Resolving fills the settings that the user left open, from
// the catalog or from the values that SGLang would have used for the path, and records the catalog's value beside each,
// so that a difference is seen later.

#include "schema/model_catalog.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/nearest_name.h"
#include "schema/setting_fields.h"

namespace wansweep {

namespace {

ModelConfig sizes(int heads, int layers, int ffn_dim, int in_channels, int out_channels) {
  ModelConfig config;
  config.heads = heads;
  config.head_dim = 128;
  config.layers = layers;
  config.ffn_dim = ffn_dim;
  config.in_channels = in_channels;
  config.out_channels = out_channels;
  config.text_dim = 4096;
  config.freq_dim = 256;
  return config;
}

std::vector<CatalogEntry> make_catalog() {
  const char* const wan21 = "sglang configs/pipeline_configs/wan.py and configs/sample/wan.py";
  std::vector<CatalogEntry> entries;

  CatalogEntry small;
  small.id = "wan2.1-t2v-1.3b";
  small.hub_name = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers";
  small.class_name = "WanPipeline";
  small.config = sizes(12, 30, 8960, 16, 16);
  small.flow_shift = 3;
  small.guidance_scale = 3;
  small.steps = 50;
  small.width = 832;
  small.height = 480;
  small.frames = 81;
  small.fps = 16;
  small.source = wan21;
  entries.push_back(small);

  CatalogEntry large = small;
  large.id = "wan2.1-t2v-14b";
  large.hub_name = "Wan-AI/Wan2.1-T2V-14B-Diffusers";
  large.config = sizes(40, 40, 13824, 16, 16);
  large.flow_shift = 5;
  large.guidance_scale = 5;
  large.width = 1280;
  large.height = 720;
  entries.push_back(large);

  CatalogEntry t2v = large;
  t2v.id = "t2v-a14b";
  t2v.hub_name = "Wan-AI/Wan2.2-T2V-A14B-Diffusers";
  t2v.two_experts = true;
  t2v.flow_shift = 12;
  t2v.boundary_ratio = 0.875;
  t2v.guidance_scale = 4;
  t2v.guidance_scale_2 = 3;
  t2v.steps = 40;
  t2v.source = "Wan-Video/Wan2.2 wan/configs/wan_t2v_A14B.py";
  entries.push_back(t2v);

  CatalogEntry i2v = t2v;
  i2v.id = "i2v-a14b";
  i2v.hub_name = "Wan-AI/Wan2.2-I2V-A14B-Diffusers";
  i2v.class_name = "WanImageToVideoPipeline";
  i2v.config = sizes(40, 40, 13824, 36, 16);
  i2v.flow_shift = 5;
  i2v.boundary_ratio = 0.9;
  i2v.guidance_scale = 3.5;
  i2v.guidance_scale_2 = 3.5;
  i2v.source = "Wan-Video/Wan2.2 wan/configs/wan_i2v_A14B.py";
  entries.push_back(i2v);

  CatalogEntry ti2v = small;
  ti2v.id = "ti2v-5b";
  ti2v.hub_name = "Wan-AI/Wan2.2-TI2V-5B-Diffusers";
  ti2v.config = sizes(24, 30, 14336, 48, 48);
  ti2v.flow_shift = 5;
  ti2v.guidance_scale = 5;
  ti2v.width = 1280;
  ti2v.height = 704;
  ti2v.frames = 121;
  ti2v.fps = 24;
  ti2v.vae_stride_space = 16;
  ti2v.source = "Wan-Video/Wan2.2 wan/configs/wan_ti2v_5B.py";
  entries.push_back(ti2v);
  return entries;
}

std::string size_text(int width, int height) { return fmt::format("{}x{}", width, height); }

// Fills one setting if it is open, and records in any case where its value came from and what the catalog says.
class Resolver {
 public:
  explicit Resolver(RunSettings& spec) : spec_(spec) {}

  // A setting that decides what is computed: the catalog's value is recorded also when the user sets another, and when
  // nobody told which value a run elsewhere had.
  template <typename T>
  void configure(const char* name, std::optional<T>& setting, const std::optional<T>& value, const std::string& origin,
                 const std::optional<T>& catalog) {
    fill(name, setting, value, origin);
    if (!catalog) return;
    Origin& recorded = spec_.origins[name];
    recorded.catalog = fmt::format("{}", *catalog);
    if (!setting) recorded.origin = unknown_origin;
  }

  // A setting that decides how much is computed: the user's value is right, and is not compared with the catalog's.
  template <typename T>
  void measure_out(const char* name, std::optional<T>& setting, const T& value, const std::string& origin,
                   const T& catalog) {
    const bool open = !setting;
    fill(name, setting, std::optional<T>(value), origin);
    if (open) spec_.origins[name].catalog = fmt::format("{}", catalog);
  }

 private:
  template <typename T>
  void fill(const char* name, std::optional<T>& setting, const std::optional<T>& value, const std::string& origin) {
    if (setting || !value) return;
    setting = value;
    spec_.origins[name].origin = origin;
  }

  RunSettings& spec_;
};

void resolve_from_files(RunSettings& spec, const ModelIdentity& model) {
  const CatalogEntry& entry = *model.entry;
  Resolver resolver(spec);
  resolver.configure<double>("flow_shift", spec.flow_shift, entry.flow_shift, "catalog", entry.flow_shift);
  const bool in_file = model.file_boundary_ratio.has_value();
  resolver.configure<double>("boundary_ratio", spec.boundary_ratio,
                             in_file ? model.file_boundary_ratio : entry.boundary_ratio, in_file ? "file" : "catalog",
                             entry.boundary_ratio);
  resolver.configure<double>("guidance_scale", spec.guidance_scale, entry.guidance_scale, "catalog",
                             entry.guidance_scale);
  resolver.configure<double>("guidance_scale_2", spec.guidance_scale_2, entry.guidance_scale_2, "catalog",
                             entry.guidance_scale_2);
  resolver.measure_out<int64_t>("steps", spec.steps, entry.steps, "catalog", entry.steps);
  if (!spec.inputs.empty()) return;
  resolver.measure_out<std::string>("size", spec.size, size_text(entry.width, entry.height), "catalog",
                                    size_text(entry.width, entry.height));
  resolver.measure_out<int64_t>("frames", spec.frames, entry.frames, "catalog", entry.frames);
}

void resolve_like_sglang(RunSettings& spec, const ModelIdentity& model) {
  const CatalogEntry& entry = *model.entry;
  const SglangVerdict verdict = sglang_verdict(spec.resolver, spec.model, spec.model_id);
  if (verdict.config.empty()) {
    throw bad_input(fmt::format("{}: {} has no configuration for this path ({})", spec.model, name_of(spec.resolver),
                                verdict.rule));
  }
  const std::string name(name_of(spec.resolver));
  Resolver resolver(spec);
  resolver.configure<double>("flow_shift", spec.flow_shift, verdict.flow_shift, name, entry.flow_shift);
  resolver.configure<double>("boundary_ratio", spec.boundary_ratio, verdict.boundary_ratio, name, entry.boundary_ratio);
  resolver.configure<double>("guidance_scale", spec.guidance_scale, verdict.guidance_scale, name, entry.guidance_scale);
  resolver.configure<double>("guidance_scale_2", spec.guidance_scale_2, verdict.guidance_scale_2, name,
                             entry.guidance_scale_2);
  resolver.measure_out<int64_t>("steps", spec.steps, verdict.steps, name, entry.steps);
  if (!spec.origins.contains("sigma_schedule")) {
    spec.sigma_schedule = SigmaSchedule::sglang;
    spec.origins["sigma_schedule"].origin = name;
  }
  if (!spec.inputs.empty()) return;
  resolver.measure_out<std::string>("size", spec.size, size_text(verdict.width, verdict.height), name,
                                    size_text(entry.width, entry.height));
  resolver.measure_out<int64_t>("frames", spec.frames, verdict.frames, name, entry.frames);
  if (!verdict.shards_frames) return;
  const int64_t rounded = sglang_rounded_frames(static_cast<int>(*spec.frames), static_cast<int>(spec.ranks));
  if (rounded == *spec.frames) return;
  Origin& origin = spec.origins["frames"];
  if (origin.origin == "user") origin.catalog = fmt::format("{}", *spec.frames);
  origin.origin = name;
  spec.frames = rounded;
}

std::optional<double> catalog_number(const RunSettings& spec, const char* name) {
  const auto found = spec.origins.find(name);
  if (found == spec.origins.end() || found->second.catalog.empty()) return std::nullopt;
  const std::string& text = found->second.catalog;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<int> switch_with(const RunSettings& spec, std::optional<double> shift, std::optional<double> boundary) {
  if (!spec.steps || !shift || !boundary) return std::nullopt;
  return switch_step(make_flow_schedule(spec.sigma_schedule, static_cast<int>(*spec.steps), *shift), *boundary);
}

// ": the experts switch at step 10, not 19"; empty when the shift alone does not change the switch step.
std::string switch_effect(const RunSettings& spec) {
  const auto used = switch_with(spec, spec.flow_shift, spec.boundary_ratio);
  const auto right = switch_with(spec, catalog_number(spec, "flow_shift"), spec.boundary_ratio);
  if (!used || !right || *used == *right) return "";
  return fmt::format(": the experts switch at step {}, not {}", *used, *right);
}

}  // namespace

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> entries = make_catalog();
  return entries;
}

const CatalogEntry& catalog_entry(const std::string& id) {
  std::vector<std::string_view> known;
  for (const CatalogEntry& entry : catalog()) {
    if (entry.id == id) return entry;
    known.push_back(entry.id);
  }
  const std::string nearest = nearest_name(id, known);
  throw bad_input(fmt::format("model_id {} is unknown; {}", id,
                              nearest.empty() ? fmt::format("known ids: {}", fmt::join(known, ", "))
                                              : fmt::format("did you mean {}?", nearest)));
}

const CatalogEntry* published_model(const std::string& path) {
  std::string name = path;
  while (name.ends_with('/')) name.pop_back();
  for (const CatalogEntry& entry : catalog()) {
    std::string in_cache = "models--" + entry.hub_name;
    in_cache.replace(in_cache.find('/'), 1, "--");
    if (name == entry.hub_name || fmt::format("/{}/", name).find(fmt::format("/{}/", in_cache)) != name.npos) {
      return &entry;
    }
  }
  return nullptr;
}

ModelIdentity resolve_settings(RunSettings& spec) {
  ModelIdentity model = identify_model(spec.model, spec.model_id);
  if (spec.resolver == ResolverKind::files) {
    resolve_from_files(spec, model);
  } else {
    resolve_like_sglang(spec, model);
  }
  if (spec.model_id.empty()) {
    spec.model_id = model.entry->id;
    spec.origins["model_id"].origin = "file";
  }
  return model;
}

void resolve_partly(RunSettings& spec, const CatalogEntry* entry, const SglangVerdict* used, const std::string& rules) {
  Resolver resolver(spec);
  const auto configure = [&](const char* name, std::optional<double>& setting, auto of_used, auto of_entry) {
    using Number = std::optional<double>;
    resolver.configure<double>(name, setting, used != nullptr ? Number(used->*of_used) : Number(), rules,
                               entry != nullptr ? Number(entry->*of_entry) : Number());
  };
  configure("flow_shift", spec.flow_shift, &SglangVerdict::flow_shift, &CatalogEntry::flow_shift);
  configure("boundary_ratio", spec.boundary_ratio, &SglangVerdict::boundary_ratio, &CatalogEntry::boundary_ratio);
  configure("guidance_scale", spec.guidance_scale, &SglangVerdict::guidance_scale, &CatalogEntry::guidance_scale);
  configure("guidance_scale_2", spec.guidance_scale_2, &SglangVerdict::guidance_scale_2,
            &CatalogEntry::guidance_scale_2);
}

std::optional<int> catalog_switch_step(const RunSettings& spec) {
  const auto shift = catalog_number(spec, "flow_shift");
  const auto boundary = catalog_number(spec, "boundary_ratio");
  if (!shift && !boundary) return std::nullopt;
  return switch_with(spec, shift ? shift : spec.flow_shift, boundary ? boundary : spec.boundary_ratio);
}

std::vector<std::string> configuration_drift(const RunSettings& spec) {
  std::vector<std::string> lines;
  for (const auto& [name, origin] : spec.origins) {
    if (origin.catalog.empty() || origin.origin == unknown_origin) continue;
    const nlohmann::json value = get_field(spec, *find_field(name));
    const std::string used = value.is_string() ? value.get<std::string>() : fmt::format("{}", value.get<double>());
    if (used == origin.catalog) continue;
    lines.push_back(fmt::format("{} is {} ({}), but the catalog says {}{}", name, used, origin.origin, origin.catalog,
                                name == "flow_shift" ? switch_effect(spec) : ""));
  }
  return lines;
}

}  // namespace wansweep
