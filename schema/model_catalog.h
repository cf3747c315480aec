// Which Wan model a path holds, the rule that decided it, and each model's official settings.
//
// The model's own files decide (model_index.json, transformer/config.json), never the path's name. SGLang's rules,
// which go by the name, are here as resolvers, so that a misresolved run can be reproduced on purpose.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schema/flow_schedule.h"
#include "schema/model_config.h"
#include "schema/run_settings.h"

namespace wansweep {

// Official settings of one published model, with the source they were read from.
struct CatalogEntry {
  std::string id;          // "t2v-a14b"
  std::string hub_name;    // "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
  std::string class_name;  // model_index.json's _class_name
  ModelConfig config;
  bool two_experts = false;
  double flow_shift = 0;
  std::optional<double> boundary_ratio;
  double guidance_scale = 0;               // of the high-noise expert
  std::optional<double> guidance_scale_2;  // of the low-noise expert
  int steps = 0;
  int width = 0;
  int height = 0;
  int frames = 0;
  int fps = 0;
  int vae_stride_space = 8;
  int vae_stride_time = 4;
  std::string source;
};

const std::vector<CatalogEntry>& catalog();

// The catalog's entry for `id`. Throws bad_input naming the nearest known id.
const CatalogEntry& catalog_entry(const std::string& id);

// The published model whose name on the hub `path` is ("Wan-AI/Wan2.2-T2V-A14B-Diffusers"), or in whose folder of the
// hub's cache it lies; nullptr when there is none.
const CatalogEntry* published_model(const std::string& path);

struct ModelIdentity {
  const CatalogEntry* entry = nullptr;
  std::string rule;       // how the model was decided, in one sentence
  ModelConfig config;     // from the files, or the entry's when there are none
  bool same_size = true;  // false: the files have the entry's layout at another size
  bool two_experts = false;
  std::optional<double> file_flow_shift;      // scheduler/scheduler_config.json
  std::optional<double> file_boundary_ratio;  // model_index.json
  std::vector<std::string> looked_at;         // files, in order
};

// Decides from its files which model `path` is. `declared_id` may be empty; the function throws when the files
// contradict it. With an empty path, the declared id alone decides; with the path of a single config.json, the declared
// id decides and the file gives the sizes. Throws bad_input listing the files looked at when the layout is unknown.
ModelIdentity identify_model(const std::string& path, const std::string& declared_id);

// The configuration that a version of SGLang chooses for a path: its name, the rule that chose it, and its values.
struct SglangVerdict {
  std::string config;  // "WanT2V480PConfig"; empty: SGLang refuses the path
  std::string rule;
  double flow_shift = 0;
  std::optional<double> boundary_ratio;
  double guidance_scale = 0;
  double guidance_scale_2 = 0;
  int steps = 0;
  int width = 0;
  int height = 0;
  int frames = 0;
  bool shards_frames = false;  // latent frames are rounded up to a multiple of the ranks
};
// `resolver` is one of SGLang's. Throws Error(internal) for another.
SglangVerdict sglang_verdict(ResolverKind resolver, const std::string& path, const std::string& declared_id);

// The same for each group of SGLang releases that follow the same rules. `model_id` is the value of --model-id
// ("Wan2.2-T2V-A14B-Diffusers") for versions that have that option; empty: it is not given.
struct SglangReleaseVerdict {
  std::string first, last;  // versions: "0.5.7", "0.5.8.post1"
  bool takes_model_id = false;
  SglangVerdict verdict;
};
// The same for one release, such as "0.5.9". Of a path whose files are not here, `declared_id` says which model it is.
// Throws bad_input for a version that is not known.
SglangVerdict sglang_release_verdict(const std::string& version, const std::string& path, const std::string& model_id,
                                     const std::string& declared_id = "");
std::vector<SglangReleaseVerdict> sglang_release_verdicts(const std::string& path, const std::string& model_id);

// The number of pixel frames after SGLang (December 2025) rounded the latent frames up to a multiple of `ranks`: 81
// becomes 93 for 4, 6 and 8 ranks.
int sglang_rounded_frames(int frames, int ranks);

// Fills every open setting of `spec` by its resolver and records all origins, with the catalog's value beside each
// value used. Size and frames stay open when `spec.inputs` is set. Throws bad_input.
ModelIdentity resolve_settings(RunSettings& spec);

// The same for a run that was made elsewhere, of which only a part is known. `used`: the configuration that its engine
// took, under the name of the rules that found it; it fills what is open of flow_shift, boundary_ratio and the guidance
// scales. `entry`: what the model is; its values are recorded beside those used, also where these are unknown. Either
// may be nullptr. How much was computed (steps, size, frames) stays open, since no configuration tells it.
void resolve_partly(RunSettings& spec, const CatalogEntry* entry, const SglangVerdict* used, const std::string& rules);

// The step at which the experts would switch with the catalog's values; nullopt when the catalog has none, or there is
// no switch.
std::optional<int> catalog_switch_step(const RunSettings& spec);

// One line for each setting whose value differs from the catalog's: "flow_shift is 3 (sglang-2025-12), but the catalog
// says 12: the experts switch at step 10, not 19". Empty when all agree.
std::vector<std::string> configuration_drift(const RunSettings& spec);

}  // namespace wansweep
