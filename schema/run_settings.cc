#include "schema/run_settings.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

std::pair<int, int> parse_size(const std::string& text) {
  constexpr int most = 1 << 16;  // pixels
  int width = 0, height = 0;
  const char* end = text.data() + text.size();
  const auto [cross, first_error] = std::from_chars(text.data(), end, width);
  if (first_error == std::errc() && cross != end && *cross == 'x') {
    const auto [last, second_error] = std::from_chars(cross + 1, end, height);
    const bool sensible = width > 0 && height > 0 && width <= most && height <= most;
    if (second_error == std::errc() && last == end && sensible) return {width, height};
  }
  throw bad_input(fmt::format("size is {}; give WIDTHxHEIGHT in pixels, for example 832x480", text));
}

void check_size(const RunSettings& spec) {
  for (const auto& [what, pixels] : {std::pair{"width", spec.width()}, std::pair{"height", spec.height()}}) {
    if (pixels % 16 != 0) {
      throw bad_input(fmt::format("size is {}; its {} {} must be a multiple of 16", *spec.size, what, pixels));
    }
  }
}

// Refuses settings of the user that a file of inputs would silently override.
void check_inputs_alone(const RunSettings& spec) {
  for (const char* name : {"size", "frames"}) {
    const auto origin = spec.origins.find(name);
    if (origin == spec.origins.end() || origin->second.origin != "user") continue;
    throw bad_input(fmt::format(
        "{0} and inputs are both set, and the file of inputs decides the size of the latents; remove one of them",
        name));
  }
}

constexpr int64_t smallest_chunk = 4096;  // a smaller chunk costs more to start than to copy

std::string hash_of(const nlohmann::json& settings) { return sha256(settings.dump()); }  // keys are sorted

}  // namespace

std::string written_path(const RunSettings& settings, std::string_view name) {
  const auto origin = settings.origins.find(std::string(name));
  return origin == settings.origins.end() ? std::string() : origin->second.written;
}

int RunSettings::width() const { return parse_size(size.value_or("nothing")).first; }
int RunSettings::height() const { return parse_size(size.value_or("nothing")).second; }

std::optional<uint64_t> random_weights_seed(const std::string& weights) {
  if (weights == "files") return std::nullopt;
  constexpr std::string_view prefix = "random:";
  if (weights.starts_with(prefix)) {
    uint64_t seed = 0;
    const char* end = weights.data() + weights.size();
    const auto [last, error] = std::from_chars(weights.data() + prefix.size(), end, seed);
    if (error == std::errc() && last == end) return seed;
  }
  throw bad_input(
      fmt::format("weights is {}; give files or random:SEED, where SEED is a whole number below 2^64", weights));
}

void validate(const RunSettings& spec) {
  for (const Field& field : fields()) check_bounds(spec, field);
  if (!spec.steps) throw bad_input("steps is not set; give the number of scheduler steps");
  if (!spec.flow_shift) throw bad_input("flow_shift is not set; Wan2.2 T2V-A14B uses 12");
  if (!spec.guidance_scale)
    throw bad_input("guidance_scale is not set; Wan2.2 T2V-A14B uses 4, and 1 turns guidance off");
  if (spec.cfg_parallel && !(*spec.guidance_scale > 1)) {
    throw bad_input(fmt::format(
        "cfg_parallel needs guidance, and guidance_scale {} turns it off; a guidance_scale above 1 is needed",
        *spec.guidance_scale));
  }
  if (spec.chunk_bytes > 0 && spec.chunk_bytes < smallest_chunk) {
    throw bad_input(
        fmt::format("chunk_bytes is {}; 0 (no chunks) or at least {} is needed", spec.chunk_bytes, smallest_chunk));
  }
  if (spec.cooperative == Choice::on && spec.ranks == 1) {
    throw bad_input(
        "cooperative is on with 1 rank; at least 2 ranks on a node are needed, which copy parts for each other");
  }
  constexpr double slowest_link = 1e-6;  // GB/s: on a slower link the time of a copy overflows the clock
  if (spec.link_bandwidth > 0 && spec.link_bandwidth < slowest_link) {
    throw bad_input(fmt::format("link_bandwidth is {}; 0 (memory speed) or at least {} GB/s is needed",
                                spec.link_bandwidth, slowest_link));
  }
  if (!random_weights_seed(spec.weights) && spec.model.empty()) {
    throw bad_input(
        "model is not set; give a directory in diffusers layout, or set weights to random:SEED and model_id");
  }
  if (spec.backend == BackendKind::cpu && spec.precision == Precision::bf16) {
    throw bad_input("precision is bf16; backend cpu computes in fp32 only");
  }
  if (!spec.inputs.empty()) return check_inputs_alone(spec);
  if (!spec.size || !spec.frames) throw bad_input("inputs is not set; give a file of inputs, or size and frames");
  check_size(spec);
  if (*spec.frames % 4 != 1) {
    throw bad_input(fmt::format("frames is {}; a number of the form 4n + 1 is needed, for example {}", *spec.frames,
                                *spec.frames / 4 * 4 + 1));
  }
}

std::string settings_hash(const RunSettings& spec) {
  nlohmann::json settings = nlohmann::json::object();
  for (const Field& field : fields()) {
    nlohmann::json value = get_field(spec, field);
    if (value.is_null() || (field.added_later && value == default_of(field))) continue;
    settings[std::string(field.name)] = std::move(value);
  }
  for (const auto& [name, origin] : spec.origins) {
    if (!origin.written.empty()) settings[name] = origin.written;
  }
  return hash_of(settings);
}

std::string work_hash(const RunSettings& spec) {
  RunSettings same = spec;
  for (const std::string_view name : settings_of(Role::offload)) reset_field(same, *find_field(name));
  return settings_hash(same);
}

}  // namespace wansweep
