// One run's settings as typed values, and where each value came from. The orchestrator writes them, the worker reads
// them.
//
// Sweeps (TOML), specs (JSON) and the worker's flags (with '-' for '_') use the members' names; schema/setting_fields.h
// has the table that all of them use. To add a setting, add a member here and a row there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "schema/setting_values.h"

namespace wansweep {

// Where a value came from, and the catalog's value for the same setting, if the catalog has one.
struct Origin {
  std::string origin;   // "user", "catalog", "file", "default", or a resolver's name ("sglang-2025-12")
  std::string catalog;  // the catalog's value as text; empty: none
  // A path as the user wrote it, relative to the project; empty for all other settings. The setting itself holds the
  // absolute path. Hashes use this one, so that a project that is moved, or cloned elsewhere, has the same runs.
  std::string written = {};
};

// Device memory for block slots alone: GiB, or unset ("auto" in text) for all that device_memory leaves after
// activations and weights outside blocks.
struct DeviceBudget {
  std::optional<double> gib;
  bool operator==(const DeviceBudget&) const = default;
};

// The origins of settings that have no value in a run of another engine, although the member here has a default: the
// engine does not follow the setting, or an imported run does not tell its value.
inline constexpr const char* not_followed_origin = "not followed";
inline constexpr const char* unknown_origin = "unknown";

// Optional members are filled by resolve_settings (model_catalog.h), from the model's identity, when the user leaves
// them open.
struct RunSettings {
  // The model.
  std::string model;     // directory in diffusers layout, or a config.json when weights are random
  std::string model_id;  // catalog id; empty: decided from the model's files
  ResolverKind resolver = ResolverKind::files;
  std::string weights = "files";  // files | random:SEED; see random_weights_seed
  // Which program runs the loop: orchestrator/engines starts it. The worker itself accepts only its own name here.
  EngineKind engine = EngineKind::wansweep;
  std::string engine_version;  // "0.5.9"; decides which flags SGLang has
  std::string prompt;          // text, for engines that encode it; the worker takes embeddings (inputs)
  // The latents and embeddings: from a safetensors file, or drawn, from a size and a seed.
  std::string inputs;
  std::optional<std::string> size;  // WIDTHxHEIGHT in pixels
  std::optional<int64_t> frames;
  int64_t seed = 0;
  // The loop.
  std::optional<int64_t> steps;
  std::optional<double> flow_shift;
  SigmaSchedule sigma_schedule = SigmaSchedule::diffusers;
  std::optional<double> boundary_ratio;  // of 1000 timesteps; unused with one expert
  std::optional<double> guidance_scale;
  std::optional<double> guidance_scale_2;
  // Parallelism.
  int64_t ranks = 1;
  bool cfg_parallel = false;
  std::optional<int64_t> ulysses;
  std::optional<int64_t> ring;
  // Offload.
  OffloadMode offload = OffloadMode::resident;
  double prefetch = 0;  // SGLang's --dit-offload-prefetch-size: 0 -> 1 block, below 1 -> a share, from 1 -> blocks
  HostMemory host_memory = HostMemory::pinned;
  HostStoreKind host_store = HostStoreKind::per_rank;
  int64_t chunk_bytes = 0;  // copies of weights are cut into chunks of this size; 0: uncut, or 32 MiB when they yield
  Choice yield_to_collectives = Choice::off;  // copies of weights wait while an exchange of the rank moves data
  Choice cooperative = Choice::off;  // each rank of a node copies a part of a block, and the ranks exchange the parts
  GuidanceOrder guidance_order = GuidanceOrder::branch;
  DeviceBudget device_budget;  // of offload planned
  // The device.
  BackendKind backend = BackendKind::cpu;
  Precision precision = Precision::automatic;
  CommunicatorKind communicator = CommunicatorKind::automatic;
  int64_t exchange_groups = 0;  // groups of a Ulysses rank's heads: one is exchanged while another attends; 0: measured
  Choice text_cache = Choice::automatic;  // keeps each block's keys and values of the text for all steps of an expert
  bool share_device = false;              // several ranks may use one GPU
  double device_memory = 0;   // GiB that a rank may use; 0: all of the device (cuda), default_cpu_device_gib (cpu)
  double link_bandwidth = 0;  // GB/s of the cpu backend's host link, each direction; 0: as fast as memory
  LinkSharing link = LinkSharing::shared;
  // What is recorded.
  TraceDetail trace_detail = TraceDetail::block;
  bool allow_nonfinite = false;  // latents that are infinite or not a number do not end the run
  bool keep_steps = false;       // latents and noise prediction of every step into result.safetensors
  bool engine_profile = false;   // the engine's own profiler writes a trace of each rank
  double step_timeout = 0;  // a run ends after so many seconds without a step; 0: ten times the slowest, at least 600

  std::map<std::string, Origin> origins;  // by setting name

  // The pixels of `size`. Both throw bad_input when `size` is not set or not WIDTHxHEIGHT.
  int width() const;
  int height() const;
};

// The path in setting `name` as the user wrote it, relative to the project; empty when the user gave none or an
// absolute one.
std::string written_path(const RunSettings& settings, std::string_view name);

inline constexpr double default_cpu_device_gib = 64;

// The seed in `random:SEED`; nullopt for `files`. Throws bad_input for any other text, also for a seed beyond 64 bits.
std::optional<uint64_t> random_weights_seed(const std::string& weights);

// Checks everything that can be checked without the model: needed values are set and within bounds (setting_fields.h),
// and values go together (a size that patch and VAE divide, frames 4n + 1, guidance for cfg_parallel, ...). Throws
// bad_input with a line that begins with the setting's name.
void validate(const RunSettings& spec);

// SHA-256, in hex, of the settings in a canonical form: equal configurations have equal hashes. Origins do not count,
// except that a path counts as it was written.
std::string settings_hash(const RunSettings& spec);

// The same without the settings of Role::offload: equal for runs that compute the same and move weights differently.
std::string work_hash(const RunSettings& spec);

}  // namespace wansweep
