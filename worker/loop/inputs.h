// The inputs of a run: the initial latents and the text embeddings, from a file or drawn from a seed.
#pragma once

#include <vector>

#include "schema/run_plan.h"
#include "worker/model/workspace.h"

namespace wansweep {

struct RunInputs {
  std::vector<float> latents;  // [channels, frames, height, width]
  std::vector<float> prompt;   // [text tokens, text_dim]
  std::vector<float> negative_prompt;
};

// The inputs, in the shape of the plan: from the file settings.inputs (`initial_latents` [1, C, F, H, W],
// `prompt_embeds` and `negative_prompt_embeds` [1, T, text_dim]), or drawn by fill_normal(settings.seed, the tensors'
// names). Throws bad_input naming file, tensor and shape when the file differs from the plan.
RunInputs make_inputs(const RunPlan& plan);

// Copies the inputs into the workspace of `rank`: its tokens of the latents, zeros for padding, the prompts, and the
// rotary table of its tokens. Returns when they have arrived.
void upload_inputs(Device& device, const RunPlan& run, const RunInputs& inputs, int rank, Workspace& workspace);

}  // namespace wansweep
