#include "worker/loop/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "worker/weights/random_values.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

std::vector<float> read_tensor(const SafetensorsFile& file, const std::string& name,
                               const std::vector<int64_t>& planned) {
  const TensorView& view = file.find(name);
  if (view.shape != planned) {
    throw bad_input(fmt::format("{}: tensor {} has the shape [{}]; [{}] was planned", file.file(), name,
                                fmt::join(view.shape, ", "), fmt::join(planned, ", ")));
  }
  std::vector<float> values(static_cast<size_t>(view.values()));
  convert_to_f32(view, values.data());
  return values;
}

RunInputs read_inputs(const RunPlan& plan) {
  const SafetensorsFile file(plan.settings.inputs);
  const LatentShape& s = plan.input.latents;
  const std::vector<int64_t> text{1, plan.input.text_tokens, plan.model.config.text_dim};
  return {read_tensor(file, "initial_latents", {1, s.channels, s.frames, s.height, s.width}),
          read_tensor(file, "prompt_embeds", text), read_tensor(file, "negative_prompt_embeds", text)};
}

RunInputs draw_inputs(const RunPlan& plan) {
  const auto draw = [seed = static_cast<uint64_t>(plan.settings.seed)](const char* name, int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    fill_normal(seed, name, 0, values, 1);
    return values;
  };
  const int64_t text_values = plan.input.text_tokens * plan.model.config.text_dim;
  return {draw("initial_latents", plan.input.latents.values()), draw("prompt_embeds", text_values),
          draw("negative_prompt_embeds", text_values)};
}

}  // namespace

RunInputs make_inputs(const RunPlan& plan) {
  return plan.settings.inputs.empty() ? draw_inputs(plan) : read_inputs(plan);
}

}  // namespace wansweep
