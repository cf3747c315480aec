// What a run denoises: the first latents and the text embeddings, from a file or from a seed.
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

// Values of the plan's input shape: from settings.inputs (`initial_latents` [1, C, F, H, W], `prompt_embeds` and
// `negative_prompt_embeds` [1, T, text_dim]), or drawn by fill_normal(settings.seed, those names). Throws bad_input
// naming file, tensor and shape when the file is not what was planned.
RunInputs make_inputs(const RunPlan& plan);

// Puts them into the workspace of `rank`: its tokens of the latents with zeros behind the last one, the prompts, and
// the rotary table of its tokens. They are there when it returns.
void upload_inputs(Device& device, const RunPlan& run, const RunInputs& inputs, int rank, Workspace& workspace);

}  // namespace wansweep
