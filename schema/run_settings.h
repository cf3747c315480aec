// One run's settings as typed values: what the orchestrator writes, what the worker reads, and where each value came
// from.
//
// Sweeps (TOML), specs (JSON) and the worker's flags (with '-' for '_') use the members' names; schema/setting_fields.h
// has the table that all of them go by. To add a setting, add a member here and a row there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "schema/setting_values.h"

namespace wansweep {

// Where a value came from, and what the catalog holds to be right (absent when the catalog has no say).
struct Origin {
  std::string origin;   // "user", "catalog", "file", "default", or a resolver's name ("sglang-2025-12")
  std::string catalog;  // the catalog's value as text; empty: none
  // Of a path that the user gave relative to the project: as it was written. The setting itself is the absolute path;
  // the hash takes this one, so that a project that is moved, or cloned elsewhere, has the same runs. Empty: none.
  std::string written = {};
};

// Of each device, for slots of blocks alone: GiB, or (unset, "auto" in text) what device_memory leaves after all else.
struct DeviceBudget {
  std::optional<double> gib;
  bool operator==(const DeviceBudget&) const = default;
};

// Origins of settings that have no value in a run of another engine, though a member here has a default: the engine
// does not follow it, or nobody told it (a run made elsewhere).
inline constexpr const char* not_followed_origin = "not followed";
inline constexpr const char* unknown_origin = "unknown";

// Optional members are settings that the model's identity decides when the user does not (model_catalog:
// resolve_settings).
struct RunSettings {
  // The model.
  std::string model;     // directory in diffusers layout, or a config.json when weights are random
  std::string model_id;  // catalog id; empty: decided from the model's files
  ResolverKind resolver = ResolverKind::files;
  std::string weights = "files";  // files | random:SEED; see random_weights_seed
  // Which program runs the loop. Only orchestrator/engines makes something of it; the worker runs its own alone.
  EngineKind engine = EngineKind::wansweep;
  std::string engine_version;  // "0.5.9"; SGLang's decides which flags there are
  std::string prompt;          // text, for engines that encode it; the worker takes embeddings (inputs)
  // What is denoised: a safetensors file, or a size and a seed.
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
  int64_t chunk_bytes = 0;  // copies of weights are cut into pieces of so many; 0: uncut, or 32 MiB where they yield
  Choice yield_to_collectives = Choice::off;  // copies of weights wait while an exchange of the rank moves data
  Choice cooperative = Choice::off;  // each rank of a node brings a part of a block, and they exchange the parts
  GuidanceOrder guidance_order = GuidanceOrder::branch;
  DeviceBudget device_budget;  // of offload planned
  // The device.
  BackendKind backend = BackendKind::cpu;
  Precision precision = Precision::automatic;
  CommunicatorKind communicator = CommunicatorKind::automatic;
  int64_t exchange_groups = 0;  // of a Ulysses rank's heads, which exchange while others attend; 0: as measured
  bool share_device = false;    // several ranks may use one GPU
  double device_memory = 0;     // GiB a rank may use; 0: all there is (cuda), default_cpu_device_gib (cpu)
  double link_bandwidth = 0;    // GB/s of the cpu backend's host link, each direction; 0: as fast as memory
  LinkSharing link = LinkSharing::shared;
  // What is recorded.
  TraceDetail trace_detail = TraceDetail::block;
  bool allow_nonfinite = false;  // latents that are infinite or not a number do not end the run
  bool keep_steps = false;       // latents and noise prediction of every step into result.safetensors
  bool engine_profile = false;   // the engine's own profiler leaves a trace of each rank
  double step_timeout = 0;       // seconds without a step that end the run; 0: ten times the slowest, at least 600

  std::map<std::string, Origin> origins;  // by setting name

  // Pixels of `size`; each throws bad_input when it is absent or not WIDTHxHEIGHT.
  int width() const;
  int height() const;
};

// Of setting `name`: the path as the user wrote it, relative to the project; empty: it was not given so.
std::string written_path(const RunSettings& settings, std::string_view name);

inline constexpr double default_cpu_device_gib = 64;

// The seed of `random:SEED`; nullopt: the weights come from files. Throws bad_input for any other text, also for a seed
// beyond 64 bits.
std::optional<uint64_t> random_weights_seed(const std::string& weights);

// Checks what can be checked without the model: every needed value set and within its bounds (setting_fields.h), and
// values that go together (a size that the patch and the VAE divide, frames 4n + 1, guidance for cfg_parallel, ...).
// Throws bad_input, its line beginning with the setting's name.
void validate(const RunSettings& spec);

// SHA-256 in hex over the settings, in a canonical form: equal configurations have equal hashes. Of the origins only
// paths as they were written count, in place of the paths.
std::string settings_hash(const RunSettings& spec);

// The same for runs that compute the same and only move weights in other ways: without the settings of Role::offload.
std::string work_hash(const RunSettings& spec);

}  // namespace wansweep
