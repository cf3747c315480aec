#include "schema/run_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/sha256.h"

namespace wansweep {

namespace {

using nlohmann::json;

template <typename T>
struct ValueOf {
  using type = T;
};
template <typename T>
struct ValueOf<std::optional<T>> {
  using type = T;
};
template <typename T>
constexpr bool is_optional = false;
template <typename T>
constexpr bool is_optional<std::optional<T>> = true;

// The JSON value as T, or nothing when it has another type. Whole numbers may be written either way.
template <typename T>
std::optional<T> value_as(const json& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (value.is_string()) return value.get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.is_boolean()) return value.get<bool>();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    if (value.is_number_integer()) return value.get<int64_t>();
    if (value.is_number_float() && std::abs(value.get<double>()) < 1e15 &&
        std::nearbyint(value.get<double>()) == value.get<double>()) {
      return static_cast<int64_t>(value.get<double>());
    }
  } else {
    if (value.is_number() && std::isfinite(value.get<double>())) return value.get<double>();
  }
  return std::nullopt;
}

template <typename T>
const char* type_name() {
  if constexpr (std::is_same_v<T, std::string>) return "text";
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int64_t>) return "a whole number";
  return "a number";
}

std::pair<int, int> parse_size(const std::string& text) {
  int width = 0, height = 0;
  const char* end = text.data() + text.size();
  const auto [cross, first_error] = std::from_chars(text.data(), end, width);
  if (first_error == std::errc() && cross != end && *cross == 'x') {
    const auto [last, second_error] = std::from_chars(cross + 1, end, height);
    if (second_error == std::errc() && last == end && width > 0 && height > 0) return {width, height};
  }
  throw bad_input(fmt::format("size is {}; WIDTHxHEIGHT in pixels is needed, as 832x480", text));
}

void at_least(const char* name, double value, double least) {
  if (!(value >= least)) throw bad_input(fmt::format("{} is {}; at least {} is needed", name, value, least));
}

void above_zero(const char* name, const std::optional<double>& value) {
  if (value && !(*value > 0)) throw bad_input(fmt::format("{} is {}; it must be above 0", name, *value));
}

}  // namespace

int RunSpec::width() const { return parse_size(size.value_or("nothing")).first; }
int RunSpec::height() const { return parse_size(size.value_or("nothing")).second; }

const std::vector<Field>& fields() {
  static const std::vector<Field> table{
      {"model", "model directory in diffusers layout, or a config.json with random weights", {}, &RunSpec::model},
      {"model_id", "catalog id; an error when the model's files say otherwise", {}, &RunSpec::model_id},
      {"resolver",
       "whose rules decide the settings left open",
       {"files", "sglang-2025-12", "sglang-2026-03"},
       &RunSpec::resolver},
      {"weights", "files, or random:SEED", {}, &RunSpec::weights},
      {"inputs", "safetensors file with initial_latents, prompt_embeds, negative_prompt_embeds", {}, &RunSpec::inputs},
      {"size", "WIDTHxHEIGHT in pixels", {}, &RunSpec::size},
      {"frames", "video frames, 4n + 1", {}, &RunSpec::frames},
      {"seed", "of the drawn latents and embeddings", {}, &RunSpec::seed},
      {"steps", "scheduler steps", {}, &RunSpec::steps},
      {"flow_shift", "shift of the noise schedule", {}, &RunSpec::flow_shift},
      {"sigma_schedule", "how the sigmas are placed", {"diffusers", "sglang", "wan"}, &RunSpec::sigma_schedule},
      {"boundary_ratio", "share of the timesteps below which the low-noise expert works", {}, &RunSpec::boundary_ratio},
      {"guidance_scale", "of the high-noise expert; guidance runs above 1", {}, &RunSpec::guidance_scale},
      {"guidance_scale_2", "of the low-noise expert", {}, &RunSpec::guidance_scale_2},
      {"ranks", "processes, one a device", {}, &RunSpec::ranks},
      {"cfg_parallel", "cond and uncond on two halves of the ranks", {}, &RunSpec::cfg_parallel},
      {"ulysses", "ranks that exchange heads for tokens", {}, &RunSpec::ulysses},
      {"ring", "ranks that pass keys and values round", {}, &RunSpec::ring},
      {"offload", "how weights reach the device", {"resident", "swap", "layerwise"}, &RunSpec::offload},
      {"prefetch",
       "blocks fetched ahead, as SGLang counts: 0 is 1, below 1 a share, else blocks",
       {},
       &RunSpec::prefetch},
      {"host_memory", "kind of the host store", {"pinned", "pageable"}, &RunSpec::host_memory},
      {"backend", "what computes", {"cpu", "cuda"}, &RunSpec::backend},
      {"precision",
       "of weights and activations; auto is fp32 on cpu, bf16 on cuda",
       {"auto", "fp32", "bf16"},
       &RunSpec::precision},
      {"communicator",
       "what moves data between ranks; auto is mpi on cpu, nccl on cuda",
       {"auto", "mpi", "nccl", "ipc"},
       &RunSpec::communicator},
      {"share_device", "several ranks may use one GPU", {}, &RunSpec::share_device},
      {"device_memory", "GiB that a rank may use; 0 is all there is (cuda) or 64 (cpu)", {}, &RunSpec::device_memory},
      {"link_bandwidth",
       "GB/s of the cpu backend's host link, each direction; 0 is memory speed",
       {},
       &RunSpec::link_bandwidth},
      {"link", "one host link for all ranks of a node, or one a rank", {"shared", "per-rank"}, &RunSpec::link},
      {"trace_detail",
       "a trace row for each piece of work, or only between stalls",
       {"step", "block"},
       &RunSpec::trace_detail},
      {"keep_steps", "keep every step's latents and noise prediction", {}, &RunSpec::keep_steps},
  };
  return table;
}

const Field* find_field(std::string_view name) {
  const auto found =
      std::find_if(fields().begin(), fields().end(), [&](const Field& field) { return field.name == name; });
  return found == fields().end() ? nullptr : &*found;
}

void set_field(RunSpec& spec, std::string_view name, const json& value, const std::string& where) {
  const Field* field = find_field(name);
  if (field == nullptr) {
    std::vector<std::string_view> known;
    for (const Field& each : fields()) known.push_back(each.name);
    const std::string nearest = nearest_name(name, known);
    throw bad_input(fmt::format("{}: {} is no setting{}", where, name,
                                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
  std::visit(
      [&](auto member) {
        using Member = std::remove_reference_t<decltype(spec.*member)>;
        using Value = typename ValueOf<Member>::type;
        const std::optional<Value> converted = value_as<Value>(value);
        if (!converted)
          throw bad_input(fmt::format("{}: {} is {}; {} is needed", where, name, value.dump(), type_name<Value>()));
        if constexpr (std::is_same_v<Value, std::string>) {
          if (!field->choices.empty() &&
              std::find(field->choices.begin(), field->choices.end(), *converted) == field->choices.end()) {
            throw bad_input(
                fmt::format("{}: {} is {}; {} are known", where, name, *converted, fmt::join(field->choices, ", ")));
          }
        }
        spec.*member = *converted;
      },
      field->member);
  spec.origins[std::string(name)].origin = "user";
}

json get_field(const RunSpec& spec, const Field& field) {
  return std::visit(
      [&](auto member) -> json {
        const auto& value = spec.*member;
        if constexpr (is_optional<std::remove_cvref_t<decltype(value)>>) {
          return value ? json(*value) : json();
        } else {
          return json(value);
        }
      },
      field.member);
}

json to_json(const RunSpec& spec) {
  json out = json::object();
  for (const Field& field : fields()) {
    const json value = get_field(spec, field);
    if (!value.is_null()) out[std::string(field.name)] = value;
  }
  json origins = json::object();
  for (const auto& [name, origin] : spec.origins) {
    origins[name] = {{"origin", origin.origin}};
    if (!origin.catalog.empty()) origins[name]["catalog"] = origin.catalog;
  }
  out["origins"] = origins;
  return out;
}

RunSpec spec_from_json(const json& in, const std::string& where) {
  if (!in.is_object()) throw bad_input(fmt::format("{}: is not a JSON object", where));
  RunSpec spec;
  for (const auto& [name, value] : in.items()) {
    if (name != "origins") set_field(spec, name, value, where);
  }
  if (!in.contains("origins")) return spec;
  if (!in["origins"].is_object())
    throw bad_input(fmt::format("{}: origins is {}; an object is needed", where, in["origins"].dump()));
  spec.origins.clear();
  for (const auto& [name, origin] : in["origins"].items()) {
    if (find_field(name) == nullptr || !origin.is_object() || !origin.value("origin", json()).is_string() ||
        !origin.value("catalog", json("")).is_string()) {
      throw bad_input(fmt::format("{}: origins.{} is {}; a setting's name and {{\"origin\": text}} are needed", where,
                                  name, origin.dump()));
    }
    spec.origins[name] = {origin["origin"], origin.value("catalog", std::string())};
  }
  return spec;
}

RunSpec read_spec(const std::string& file) { return spec_from_json(read_json_object(file), file); }

void validate(const RunSpec& spec) {
  if (!spec.steps) throw bad_input("steps is not set; a number of scheduler steps is needed");
  at_least("steps", static_cast<double>(*spec.steps), 1);
  above_zero("flow_shift", spec.flow_shift);
  if (!spec.flow_shift) throw bad_input("flow_shift is not set; 12 is Wan2.2 T2V-A14B's");
  if (!spec.guidance_scale) throw bad_input("guidance_scale is not set; 4 is Wan2.2 T2V-A14B's, 1 is without guidance");
  above_zero("guidance_scale", spec.guidance_scale);
  above_zero("guidance_scale_2", spec.guidance_scale_2);
  if (spec.boundary_ratio && !(*spec.boundary_ratio >= 0 && *spec.boundary_ratio <= 1)) {
    throw bad_input(fmt::format("boundary_ratio is {}; between 0 and 1 is needed", *spec.boundary_ratio));
  }
  at_least("ranks", static_cast<double>(spec.ranks), 1);
  if (spec.ulysses) at_least("ulysses", static_cast<double>(*spec.ulysses), 1);
  if (spec.ring) at_least("ring", static_cast<double>(*spec.ring), 1);
  at_least("prefetch", spec.prefetch, 0);
  at_least("device_memory", spec.device_memory, 0);
  at_least("link_bandwidth", spec.link_bandwidth, 0);
  at_least("seed", static_cast<double>(spec.seed), 0);
  if (spec.cfg_parallel && !(*spec.guidance_scale > 1)) {
    throw bad_input(
        fmt::format("cfg_parallel with guidance_scale {}; guidance runs above 1 only", *spec.guidance_scale));
  }
  if (spec.weights != "files") {
    uint64_t seed = 0;
    const std::string prefix = "random:";
    const char* begin = spec.weights.data() + prefix.size();
    const char* end = spec.weights.data() + spec.weights.size();
    if (spec.weights.rfind(prefix, 0) != 0 || begin == end || std::from_chars(begin, end, seed).ptr != end) {
      throw bad_input(fmt::format("weights is {}; files or random:SEED is needed", spec.weights));
    }
  } else if (spec.model.empty()) {
    throw bad_input(
        "model is not set; a directory in diffusers layout is needed, or weights random:SEED with model_id");
  }
  if (!spec.inputs.empty()) return;
  if (!spec.size || !spec.frames) throw bad_input("inputs is not set; a file, or size and frames are needed");
  for (const auto& [what, pixels] : {std::pair{"width", spec.width()}, std::pair{"height", spec.height()}}) {
    if (pixels % 16 != 0)
      throw bad_input(fmt::format("size is {}; its {} {} must be a multiple of 16", *spec.size, what, pixels));
  }
  if (*spec.frames < 1 || *spec.frames % 4 != 1) {
    throw bad_input(fmt::format("frames is {}; 4n + 1 is needed, as {}", *spec.frames,
                                std::max<int64_t>(*spec.frames, 1) / 4 * 4 + 1));
  }
}

std::string spec_hash(const RunSpec& spec) {
  json settings = to_json(spec);
  settings.erase("origins");
  const std::string canonical = settings.dump();  // keys are sorted
  return sha256(canonical.data(), canonical.size());
}

}  // namespace wansweep
