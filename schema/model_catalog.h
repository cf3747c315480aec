// Which Wan model a path holds, by which rule that was decided, and the official settings of each.
//
// The model's own files decide (model_index.json, transformer/config.json), never the path's name. SGLang's rules,
// which go by the name, are here too, as the named resolvers that reproduce a misresolved run on purpose.
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

// Throws bad_input naming the nearest known id.
const CatalogEntry& catalog_entry(const std::string& id);

struct ModelIdentity {
  const CatalogEntry* entry = nullptr;
  std::string rule;       // how it was decided, one sentence
  ModelConfig config;     // from the files; the entry's when there are none
  bool same_size = true;  // false: the entry's layout at another size
  bool two_experts = false;
  std::optional<double> file_flow_shift;      // scheduler/scheduler_config.json
  std::optional<double> file_boundary_ratio;  // model_index.json
  std::vector<std::string> looked_at;         // files, in order
};

// Decides what `path` is from its files; `declared_id` may be empty, and is an error when the files contradict it. With
// an empty path the declared id alone decides; with a path to a bare config.json, it does and the sizes are the file's.
// Throws bad_input listing what was looked at when no known layout is found.
ModelIdentity identify_model(const std::string& path, const std::string& declared_id);

// What SGLang of a version makes of a path: its configuration's name, the rule that fired, and the values that follow.
struct SglangVerdict {
  std::string config;  // "WanT2V480PConfig"; empty: it refuses the path
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
// `resolver` is one of SGLang's.
SglangVerdict sglang_verdict(ResolverKind resolver, const std::string& path, const std::string& declared_id);

// The same for the releases of SGLang: each group of versions that go by the same rules. `model_id` is --model-id as it
// would be given ("Wan2.2-T2V-A14B-Diffusers"), where a version takes it; empty: it is not given.
struct SglangReleaseVerdict {
  std::string first, last;  // versions: "0.5.7", "0.5.8.post1"
  bool takes_model_id = false;
  SglangVerdict verdict;
};
// Of one release, of those that are known: "0.5.9". Throws bad_input for another.
SglangVerdict sglang_release_verdict(const std::string& version, const std::string& path, const std::string& model_id);
std::vector<SglangReleaseVerdict> sglang_release_verdicts(const std::string& path, const std::string& model_id);

// Pixel frames after SGLang (December 2025) rounded the latent frames up to a multiple of `ranks`: 81 -> 93 for 4,
// 6, 8.
int sglang_rounded_frames(int frames, int ranks);

// Fills every open setting of `spec` by its resolver and writes all origins, with the catalog's value beside each used
// one. `spec.inputs` present: size and frames stay open. Throws bad_input.
ModelIdentity resolve_settings(RunSettings& spec);

// The step at which the experts would switch if the catalog's values were used where it has a say; nullopt: it has
// none, or there is no switch.
std::optional<int> catalog_switch_step(const RunSettings& spec);

// Settings whose used value differs from the catalog's: "flow_shift is 3 (sglang-2025-12), the catalog says 12: the
// experts switch at step 10, not 19". Empty when nothing drifts.
std::vector<std::string> configuration_drift(const RunSettings& spec);

}  // namespace wansweep
