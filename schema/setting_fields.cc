// First comes the table, then the functions that read and write values by the type of their member: text, a switch, a
// whole number, a number, or a word of an enum.

#include "schema/setting_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest_name.h"

namespace wansweep {
namespace {

using nlohmann::json;

constexpr Bounds ranks_bounds{1, 4096};
constexpr Bounds gib_bounds{0, 1 << 20};
constexpr std::string_view automatic = "auto";

std::vector<Field> make_table() {
  using S = RunSettings;
  return {
      {"model", "model directory in diffusers layout, or a config.json with random weights", Role::work, &S::model},
      {"model_id",
       "catalog id of the model; refused when the model's files contradict it",
       Role::work,
       &S::model_id,
       {},
       true},
      {"resolver", "the rules that decide the settings left open", Role::work, &S::resolver},
      {"weights", "where the weights come from: files, or random:SEED", Role::work, &S::weights},
      {"engine", "the program that runs the loop", Role::work, &S::engine, {}, false, true},
      {"engine_version", "version of SGLang, which decides its flags", Role::work, &S::engine_version, {}, false, true},
      {"prompt", "prompt text, for engines that encode it", Role::work, &S::prompt, {}, false, true},
      {"inputs", "safetensors file with initial_latents, prompt_embeds, negative_prompt_embeds", Role::work,
       &S::inputs},
      {"size", "size of the video, WIDTHxHEIGHT in pixels", Role::work, &S::size, {}, true},
      {"frames", "number of video frames, 4n + 1", Role::work, &S::frames, Bounds{1, 10'001}, true},
      {"seed", "seed of the latents and embeddings, when they are drawn", Role::work, &S::seed,
       Bounds{0, static_cast<double>(std::numeric_limits<int64_t>::max())}},
      {"steps", "number of scheduler steps", Role::work, &S::steps, Bounds{1, 10'000}, true},
      {"flow_shift", "shift of the noise schedule", Role::work, &S::flow_shift, Bounds{0, 10'000, true}, true},
      {"sigma_schedule", "how the sigmas are placed", Role::work, &S::sigma_schedule, {}, true},
      {"boundary_ratio", "the low-noise expert works below this share of the timesteps", Role::work, &S::boundary_ratio,
       Bounds{0, 1}, true},
      {"guidance_scale", "guidance scale of the high-noise expert; guidance is on above 1", Role::work,
       &S::guidance_scale, Bounds{0, 10'000, true}, true},
      {"guidance_scale_2", "guidance scale of the low-noise expert", Role::work, &S::guidance_scale_2,
       Bounds{0, 10'000, true}, true},
      {"ranks", "number of processes, one for each device", Role::work, &S::ranks, ranks_bounds},
      {"cfg_parallel", "run cond and uncond on two halves of the ranks", Role::work, &S::cfg_parallel},
      {"ulysses", "number of ranks that exchange heads for tokens (all-to-all)", Role::work, &S::ulysses, ranks_bounds},
      {"ring", "number of ranks that pass keys and values round (ring attention)", Role::work, &S::ring, ranks_bounds},
      {"offload", "how weights reach the device", Role::offload, &S::offload},
      {"prefetch",
       "blocks that layerwise fetches ahead, as SGLang counts: 0 is 1 block, below 1 is a share, else blocks",
       Role::offload, &S::prefetch, Bounds{0, 10'000}},
      {"host_memory", "kind of host memory that holds the weights", Role::offload, &S::host_memory},
      {"host_store",
       "one copy of the weights on the host for each rank, or one for all ranks of a node",
       Role::offload,
       &S::host_store,
       {},
       false,
       true},
      {"chunk_bytes",
       "largest chunk that a copy of weights is cut into, in bytes; 0 is uncut, or 32 MiB when copies yield to "
       "exchanges",
       Role::offload, &S::chunk_bytes, Bounds{0, 1e12}, false, true},
      {"yield_to_collectives",
       "whether copies of weights wait while the rank exchanges activations",
       Role::offload,
       &S::yield_to_collectives,
       {},
       false,
       true},
      {"cooperative",
       "whether each rank of a node copies a part of every block over its own link, and the ranks exchange the parts",
       Role::offload,
       &S::cooperative,
       {},
       false,
       true},
      {"guidance_order",
       "cond through all blocks, then uncond; or both through each block before the next",
       Role::offload,
       &S::guidance_order,
       {},
       false,
       true},
      {"device_budget", "GiB for block slots with offload planned; auto is all that device_memory leaves",
       Role::offload, &S::device_budget, gib_bounds, false, true},
      {"backend", "device that computes", Role::placement, &S::backend},
      {"precision", "precision of weights and activations; auto is fp32 on cpu, bf16 on cuda", Role::work,
       &S::precision},
      {"communicator", "library that moves data between ranks; auto is mpi on cpu, nccl on cuda", Role::placement,
       &S::communicator},
      {"exchange_groups",
       "groups of heads: one is exchanged while another attends; 0 is the fastest number measured in warm-up (cuda), "
       "or 1 "
       "(cpu)",
       Role::placement, &S::exchange_groups, Bounds{0, 64}, false, true},
      {"text_cache",
       "keep each block's keys and values of the text, which are the same in all steps of an expert; auto keeps them "
       "on "
       "cuda where they take at most a twentieth of device_memory",
       Role::placement,
       &S::text_cache,
       {},
       false,
       true},
      {"share_device", "allow several ranks to use one GPU", Role::placement, &S::share_device},
      {"device_memory", "GiB of device memory that a rank may use; 0 is all of the device (cuda) or 64 (cpu)",
       Role::offload, &S::device_memory, gib_bounds},
      {"link_bandwidth", "rate of the cpu backend's host link in each direction, in GB/s; 0 is memory speed",
       Role::placement, &S::link_bandwidth, Bounds{0, 1e6}},
      {"link", "host link of the cpu backend: one for all ranks of a node, or one for each rank", Role::placement,
       &S::link},
      {"trace_detail", "one trace row for each piece of work, or one for all work between two stalls", Role::recording,
       &S::trace_detail},
      {"allow_nonfinite",
       "go on when latents become infinite or not a number",
       Role::recording,
       &S::allow_nonfinite,
       {},
       false,
       true},
      {"keep_steps", "keep every step's latents and noise prediction", Role::recording, &S::keep_steps},
      {"engine_profile",
       "let the profiler of sglang or diffusers write a trace of each rank",
       Role::recording,
       &S::engine_profile,
       {},
       false,
       true},
      {"step_timeout",
       "end the run after so many seconds without a step; 0 is ten times the slowest step so far, "
       "at least 600",
       Role::recording, &S::step_timeout, Bounds{1, 1e7, false, true}, false, true},
  };
}

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

template <typename Member>
using MemberValue =
    typename ValueOf<std::remove_cvref_t<decltype(std::declval<RunSettings>().*std::declval<Member>())>>::type;

// The JSON value as T; nullopt when it has another type. A whole number may be written as 4 or 4.0.
template <typename T>
std::optional<T> value_as(const json& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (value.is_string()) return value.get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.is_boolean()) return value.get<bool>();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    // A number beyond 64 bits is out of all bounds; the JSON library would wrap it round.
    constexpr auto largest = std::numeric_limits<int64_t>::max();
    if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{largest}) return largest;
    if (value.is_number_integer()) return value.get<int64_t>();
    if (value.is_number_float() && std::abs(value.get<double>()) < 1e15 &&
        std::nearbyint(value.get<double>()) == value.get<double>()) {
      return static_cast<int64_t>(value.get<double>());
    }
  } else if constexpr (std::is_same_v<T, double>) {
    if (value.is_number() && std::isfinite(value.get<double>())) return value.get<double>();
  } else if constexpr (std::is_same_v<T, DeviceBudget>) {
    if (value == automatic) return DeviceBudget();
    if (const std::optional<double> gib = value_as<double>(value)) return DeviceBudget{gib};
  } else {
    if (value.is_string()) return value_named<T>(value.get<std::string>());
  }
  return std::nullopt;
}

template <typename T>
std::string what_is_needed() {
  if constexpr (std::is_same_v<T, std::string>) return "text";
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int64_t>) return "a whole number";
  if constexpr (std::is_same_v<T, DeviceBudget>) return "GiB or auto";
  return "a number";
}

// JSON has no infinity and no NaN; the library would write null.
std::string shown(const json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return fmt::format("{}", value.get<double>());
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

[[noreturn]] void refuse_unknown(std::string_view name, const std::string& where) {
  std::vector<std::string_view> known;
  for (const Field& each : fields()) known.push_back(each.name);
  const std::string nearest = nearest_name(name, known);
  throw bad_input(fmt::format("{}: unknown setting {}{}", where, name,
                              nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

// The number that `value` is or holds; nullopt when there is none.
template <typename T>
auto number_of(const T& value) {
  if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, double>) {
    return std::optional<T>(value);
  } else if constexpr (std::is_same_v<T, std::optional<int64_t>> || std::is_same_v<T, std::optional<double>>) {
    return value;
  } else if constexpr (std::is_same_v<T, DeviceBudget>) {
    return value.gib;
  } else {
    return std::optional<double>();
  }
}

// One line on why the number is out of bounds; empty when it is not.
template <typename T>
std::string bounds_problem(const Field& field, const std::optional<T>& value) {
  if (!value) return "";
  const auto number = static_cast<double>(*value);
  const Bounds& bounds = *field.bounds;
  if (number > bounds.least && number <= bounds.most) return "";
  if (number == bounds.least && !bounds.above) return "";
  if (number == 0 && bounds.or_zero) return "";
  const std::string needed =
      bounds.above ? fmt::format("a value above {} and at most {:.15g} is needed", bounds.least, bounds.most)
                   : fmt::format("{}a value between {} and {:.15g} is needed", bounds.or_zero ? "0, or " : "",
                                 bounds.least, bounds.most);
  return fmt::format("{} is {}; {}", field.name, *value, needed);
}

Origin read_origin(const std::string& name, const json& origin, const std::string& where) {
  if (find_field(name) == nullptr || !origin.is_object() || !origin.value("origin", json()).is_string() ||
      !origin.value("catalog", json("")).is_string() || !origin.value("written", json("")).is_string()) {
    throw bad_input(
        fmt::format("{}: origins.{} is {}; the name of a setting and an object {{\"origin\": string}} are needed",
                    where, name, shown(origin)));
  }
  return {origin["origin"], origin.value("catalog", std::string()), origin.value("written", std::string())};
}

}  // namespace

std::vector<std::string_view> Field::choices() const {
  return std::visit(
      [](auto each) {
        using Value = MemberValue<decltype(each)>;
        if constexpr (NamedEnum<Value>) {
          return names_of<Value>();
        } else {
          return std::vector<std::string_view>();
        }
      },
      member);
}

bool Field::is_text() const {
  return std::holds_alternative<std::string RunSettings::*>(member) ||
         std::holds_alternative<std::optional<std::string> RunSettings::*>(member);
}

bool Field::is_switch() const { return std::holds_alternative<bool RunSettings::*>(member); }

bool Field::is_path() const { return member == Member(&RunSettings::model) || member == Member(&RunSettings::inputs); }

const std::vector<Field>& fields() {
  static const std::vector<Field> table = make_table();
  return table;
}

const Field* find_field(std::string_view name) {
  const auto found = std::ranges::find(fields(), name, &Field::name);
  return found == fields().end() ? nullptr : &*found;
}

std::vector<std::string_view> settings_of(Role role) {
  std::vector<std::string_view> names;
  for (const Field& field : fields()) {
    if (field.role == role) names.push_back(field.name);
  }
  return names;
}

std::vector<std::string_view> resolved_settings() {
  std::vector<std::string_view> names;
  for (const Field& field : fields()) {
    if (field.resolved) names.push_back(field.name);
  }
  return names;
}

void set_field(RunSettings& spec, std::string_view name, const json& value, const std::string& where) {
  const Field* field = find_field(name);
  if (field == nullptr) refuse_unknown(name, where);
  std::visit(
      [&](auto member) {
        using Value = MemberValue<decltype(member)>;
        const std::optional<Value> converted = value_as<Value>(value);
        if constexpr (NamedEnum<Value>) {
          if (!converted) {
            throw bad_input(fmt::format("{}: {} is {}; possible values: {}", where, name,
                                        value.is_string() ? value.get<std::string>() : shown(value),
                                        fmt::join(names_of<Value>(), ", ")));
          }
        }
        if (!converted) {
          throw bad_input(
              fmt::format("{}: {} is {}; {} is needed", where, name, shown(value), what_is_needed<Value>()));
        }
        const std::string problem = bounds_problem(*field, number_of(*converted));
        if (!problem.empty()) throw bad_input(fmt::format("{}: {}", where, problem));
        spec.*member = *converted;
      },
      field->member);
  Origin& origin = spec.origins[std::string(name)];
  origin.origin = "user";
  origin.written.clear();
}

json get_field(const RunSettings& spec, const Field& field) {
  return std::visit(
      [&](auto member) -> json {
        const auto& value = spec.*member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (is_optional<Value>) {
          return value ? json(*value) : json();
        } else if constexpr (NamedEnum<Value>) {
          return json(std::string(name_of(value)));
        } else if constexpr (std::is_same_v<Value, DeviceBudget>) {
          return value.gib ? json(*value.gib) : json(automatic);
        } else {
          return json(value);
        }
      },
      field.member);
}

const json& default_of(const Field& field) {
  static const std::vector<json> defaults = [] {
    std::vector<json> values;
    for (const Field& each : fields()) values.push_back(get_field(RunSettings{}, each));
    return values;
  }();
  return defaults[static_cast<size_t>(&field - fields().data())];
}

void reset_field(RunSettings& spec, const Field& field) {
  static const RunSettings fresh;
  std::visit([&](auto member) { spec.*member = fresh.*member; }, field.member);
}

void check_bounds(const RunSettings& spec, const Field& field) {
  std::visit(
      [&](auto member) {
        const std::string problem = bounds_problem(field, number_of(spec.*member));
        if (!problem.empty()) throw bad_input(problem);
      },
      field.member);
}

json to_json(const RunSettings& spec) {
  json out = json::object();
  for (const Field& field : fields()) {
    json value = get_field(spec, field);
    if (!value.is_null()) out[std::string(field.name)] = std::move(value);
  }
  json origins = json::object();
  for (const auto& [name, origin] : spec.origins) {
    origins[name] = {{"origin", origin.origin}};
    if (!origin.catalog.empty()) origins[name]["catalog"] = origin.catalog;
    if (!origin.written.empty()) origins[name]["written"] = origin.written;
  }
  out["origins"] = std::move(origins);
  return out;
}

RunSettings settings_from_json(const json& in, const std::string& where) {
  if (!in.is_object()) throw bad_input(fmt::format("{}: is not a JSON object", where));
  RunSettings spec;
  for (const auto& [name, value] : in.items()) {
    if (name != "origins" && name != "plan" && name != "probe") set_field(spec, name, value, where);
  }
  if (!in.contains("origins")) return spec;
  if (!in["origins"].is_object()) {
    throw bad_input(fmt::format("{}: origins is {}; an object is needed", where, shown(in["origins"])));
  }
  spec.origins.clear();
  for (const auto& [name, origin] : in["origins"].items()) spec.origins[name] = read_origin(name, origin, where);
  return spec;
}

RunSettings read_settings(const std::string& file) { return settings_from_json(read_json_object(file), file); }

}  // namespace wansweep
