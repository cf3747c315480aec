// Which flags of `sglang generate`, and which variables, each release knows, and what they call an offload mode. Made
// from the releases' wheels by tools/engines/sglang_flags.py; a test compares the table with them
// (tests/orchestrator/engines/sglang_flags.json).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "schema/setting_values.h"

namespace wansweep {

// All releases in order, from 0.5.6, the first with offload flags in `sglang generate`, to 0.5.23.
inline constexpr std::array<std::string_view, 25> sglang_versions{
    "0.5.6",  "0.5.6.post1",  "0.5.6.post2",  "0.5.7",  "0.5.8",        "0.5.8.post1", "0.5.9",
    "0.5.10", "0.5.10.post1", "0.5.11",       "0.5.12", "0.5.12.post1", "0.5.13",      "0.5.13.post1",
    "0.5.14", "0.5.15",       "0.5.15.post1", "0.5.16", "0.5.17",       "0.5.18",      "0.5.19",
    "0.5.20", "0.5.21",       "0.5.22",       "0.5.23"};

// Set to 1, SGLang waits for the device before and after each step that a perf dump times; otherwise a step's time ends
// where the host's work for it did.
inline constexpr const char* sync_steps_variable = "SGLANG_DIFFUSION_SYNC_STAGE_PROFILING";

// A release, as its position in the list above.
class SglangVersion {
 public:
  // Throws bad_input, with a line that begins with "engine_version", for a text that is not a known release.
  explicit SglangVersion(const std::string& text);

  bool has(std::string_view flag) const;
  bool has_snapshot() const;   // --component-residency takes snapshot-offload
  bool syncs_steps() const;    // knows sync_steps_variable
  bool shards_frames() const;  // ranks share latent frames, padded up to a multiple of the ranks; later, tokens
  std::string_view text() const { return sglang_versions[place_]; }

 private:
  size_t place_;
};

// The first and last release with a flag; nullopt when every release has it.
struct FlagSpan {
  std::string_view first, last;
};
std::optional<FlagSpan> span_of(std::string_view flag);

// What --component-residency calls an offload mode: "layerwise-offload"; empty for a mode that SGLang does not have.
std::string_view residency_of(OffloadMode mode);

}  // namespace wansweep
