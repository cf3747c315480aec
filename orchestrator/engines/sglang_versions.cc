#include "orchestrator/engines/sglang_versions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace wansweep {
namespace {

struct FlagRow {
  std::string_view flag;
  FlagSpan span;
};

// The flags that wansweep writes and that not every release has.
constexpr FlagRow changing_flags[] = {
    {"--adjust-frames", {"0.5.6.post1", "0.5.23"}},
    {"--guidance-scale-2", {"0.5.7", "0.5.23"}},
    {"--dit-layerwise-offload", {"0.5.7", "0.5.23"}},
    {"--warmup", {"0.5.8", "0.5.17"}},
    {"--dit-offload-prefetch-size", {"0.5.9", "0.5.23"}},
    {"--model-id", {"0.5.10", "0.5.23"}},
    {"--warmup-mode", {"0.5.14", "0.5.23"}},
    {"--component-residency", {"0.5.18", "0.5.23"}},
};

std::optional<size_t> place_of(std::string_view text) {
  const auto found = std::find(sglang_versions.begin(), sglang_versions.end(), text);
  if (found == sglang_versions.end()) return std::nullopt;
  return static_cast<size_t>(found - sglang_versions.begin());
}

size_t known_place(const std::string& text) {
  if (const std::optional<size_t> place = place_of(text)) return *place;
  throw bad_input(fmt::format("engine_version is {}; possible values for engine sglang: {}",
                              text.empty() ? "not set" : text, fmt::join(sglang_versions, ", ")));
}

}  // namespace

SglangVersion::SglangVersion(const std::string& text) : place_(known_place(text)) {}

bool SglangVersion::has(std::string_view flag) const {
  const std::optional<FlagSpan> span = span_of(flag);
  return !span || (place_ >= *place_of(span->first) && place_ <= *place_of(span->last));
}

bool SglangVersion::has_snapshot() const { return place_ >= *place_of("0.5.20"); }

bool SglangVersion::syncs_steps() const { return place_ >= *place_of("0.5.8"); }

bool SglangVersion::shards_frames() const { return place_ < *place_of("0.5.10"); }

std::optional<FlagSpan> span_of(std::string_view flag) {
  for (const FlagRow& row : changing_flags) {
    if (row.flag == flag) return row.span;
  }
  return std::nullopt;
}

std::string_view residency_of(OffloadMode mode) {
  switch (mode) {
    case OffloadMode::resident:
      return "resident";
    case OffloadMode::swap:
      return "component-offload";
    case OffloadMode::layerwise:
      return "layerwise-offload";
    case OffloadMode::snapshot:
      return "snapshot-offload";
    case OffloadMode::planned:
      break;
  }
  return {};
}

}  // namespace wansweep
