#include "worker/loop/inputs.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "worker/model/tokens.h"
#include "worker/weights/random_values.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

std::vector<float> read_tensor(const SafetensorsFile& file, const std::string& name,
                               const std::vector<int64_t>& planned) {
  const TensorView& view = file.find(name);
  if (view.shape != planned) {
    throw bad_input(fmt::format("{}: tensor {} has the shape [{}]; the plan has [{}]", file.file(), name,
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

void upload(Device& device, DType type, const std::vector<float>& values, void* to) {
  const auto count = static_cast<int64_t>(values.size());
  if (type == DType::f32) {
    device.copy_in(StreamId::compute, to, values.data(), count * 4);
    device.synchronize();
    return;
  }
  std::vector<uint16_t> converted(values.size());
  convert_to_bf16({"", "F32", {count}, reinterpret_cast<const std::byte*>(values.data()), count * 4}, converted.data());
  device.copy_in(StreamId::compute, to, converted.data(), count * 2);
  device.synchronize();
}

}  // namespace

RunInputs make_inputs(const RunPlan& plan) {
  return plan.settings.inputs.empty() ? draw_inputs(plan) : read_inputs(plan);
}

void upload_inputs(Device& device, const RunPlan& run, const RunInputs& inputs, int rank, Workspace& w) {
  const RankPlace place = place_of(run.parallel, rank);
  const ModelConfig& config = run.model.config;
  const std::vector<float> all = patchify(config, run.input.latents, inputs.latents.data());
  std::vector<float> mine(static_cast<size_t>(run.parallel.tokens_per_rank * config.patch_values()), 0.0f);
  if (place.valid_tokens > 0) {
    std::copy_n(all.begin() + place.token_begin * config.patch_values(), place.valid_tokens * config.patch_values(),
                mine.begin());
  }
  upload(device, DType::f32, mine, w.latents);
  upload(device, run.type, inputs.prompt, w.prompt);
  upload(device, run.type, inputs.negative_prompt, w.negative_prompt);
  upload(device, DType::f32, rotary_table(config, run.input.latents, place.token_begin, run.parallel.tokens_per_rank),
         w.rotary);
}

}  // namespace wansweep
