// One run's settings: what the orchestrator writes, what the worker reads, and where each value came from.
//
// A spec is one flat JSON object, a key a setting, plus "origins". Sweeps (TOML) and the worker's flags use the same
// names (a flag has '-' for '_'). `fields()` is the one table behind all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace wansweep {

// Where a value came from, and what the catalog holds to be right (absent when the catalog has no say).
struct Origin {
  std::string origin;   // "user", "catalog", "file", "default", or a resolver's name ("sglang-2025-12")
  std::string catalog;  // the catalog's value as text; empty: none
};

// Optional members are settings that the model's identity decides when the user does not (model_catalog: resolve_spec).
struct RunSpec {
  // The model.
  std::string model;               // directory in diffusers layout, or a config.json when weights are random
  std::string model_id;            // catalog id; empty: decided from the model's files
  std::string resolver = "files";  // files | sglang-2025-12 | sglang-2026-03
  std::string weights = "files";   // files | random:SEED
  // What is denoised: a safetensors file, or a size and a seed.
  std::string inputs;
  std::optional<std::string> size;  // WIDTHxHEIGHT in pixels
  std::optional<int64_t> frames;
  int64_t seed = 0;
  // The loop.
  std::optional<int64_t> steps;
  std::optional<double> flow_shift;
  std::string sigma_schedule = "diffusers";
  std::optional<double> boundary_ratio;  // of 1000 timesteps; unused with one expert
  std::optional<double> guidance_scale;
  std::optional<double> guidance_scale_2;
  // Parallelism.
  int64_t ranks = 1;
  bool cfg_parallel = false;
  std::optional<int64_t> ulysses;
  std::optional<int64_t> ring;
  // Offload.
  std::string offload = "resident";  // resident | swap | layerwise
  double prefetch = 0;               // SGLang's --dit-offload-prefetch-size: 0 -> 1 block, <1 -> a share, >=1 -> blocks
  std::string host_memory = "pinned";  // pinned | pageable
  // The device.
  std::string backend = "cpu";        // cpu | cuda
  std::string precision = "auto";     // auto (fp32 on cpu, bf16 on cuda) | fp32 | bf16
  std::string communicator = "auto";  // auto (mpi on cpu, nccl on cuda) | mpi | nccl | ipc
  bool share_device = false;          // several ranks may use one GPU
  double device_memory = 0;           // GiB a rank may use; 0: all there is (cuda), 64 (cpu)
  double link_bandwidth = 0;          // GB/s of the cpu backend's host link, each direction; 0: as fast as memory
  std::string link = "shared";        // shared (all ranks of a node) | per-rank
  // What is recorded.
  std::string trace_detail = "block";  // step | block
  bool keep_steps = false;             // latents and noise prediction of every step into result.safetensors

  std::map<std::string, Origin> origins;  // by setting name

  // PIXELS of `size`; throws bad_input when it is absent or not WIDTHxHEIGHT.
  int width() const;
  int height() const;
};

// One setting: its name in JSON and TOML, one line of help, the values it may take (when they are few), and the member.
struct Field {
  using Member = std::variant<std::string RunSpec::*, int64_t RunSpec::*, double RunSpec::*, bool RunSpec::*,
                              std::optional<std::string> RunSpec::*, std::optional<int64_t> RunSpec::*,
                              std::optional<double> RunSpec::*>;
  std::string_view name;
  std::string_view help;
  std::vector<std::string_view> choices;
  Member member;
};

const std::vector<Field>& fields();

// nullptr when there is none of that name.
const Field* find_field(std::string_view name);

// Sets one setting from JSON; its origin becomes "user". Throws bad_input naming `where` ("jobs/demo.toml: base"), the
// key, the value and what would be right: unknown key (with the nearest known one), wrong type, value not among the
// choices.
void set_field(RunSpec& spec, std::string_view name, const nlohmann::json& value, const std::string& where);

// The setting as JSON; null when it is not set.
nlohmann::json get_field(const RunSpec& spec, const Field& field);

// Whole specs. `where` is the file's name for errors. Reading refuses unknown keys.
nlohmann::json to_json(const RunSpec& spec);
RunSpec spec_from_json(const nlohmann::json& json, const std::string& where);
RunSpec read_spec(const std::string& file);

// Checks what can be checked without the model: every needed value set and in range (steps >= 1, a size that the patch
// and the VAE divide, frames 4n + 1, flow_shift > 0, guidance, ranks, offload's options). Throws bad_input.
void validate(const RunSpec& spec);

// SHA-256 in hex over the settings (not the origins), in a canonical form: equal configurations have equal hashes.
std::string spec_hash(const RunSpec& spec);

}  // namespace wansweep
