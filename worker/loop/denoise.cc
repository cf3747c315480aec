#include "worker/loop/denoise.h"

#include <array>

#include "worker/loop/unipc.h"
#include "worker/trace/nvtx.h"

namespace wansweep {

namespace {

enum Forward { cond, uncond };

// With CFG-parallel ranks each half has made one prediction; afterwards every rank has both, and combines them in the
// same order as one rank would, so that the result is the same bit for bit.
void exchange_predictions(const DenoiseParts& p, int64_t bytes) {
  const int half = p.plan.sequence_ranks();
  const bool made_cond = p.rank < half;
  const int peer = made_cond ? p.rank + half : p.rank - half;
  void* made = made_cond ? p.workspace.cond : p.workspace.uncond;
  void* missing = made_cond ? p.workspace.uncond : p.workspace.cond;
  const std::array<Exchange, 2> exchanges{Exchange{peer, made, bytes, nullptr, 0},
                                          Exchange{peer, nullptr, 0, missing, bytes}};
  p.device.wait(StreamId::comm, p.device.record(StreamId::compute));
  const Recorder::Span span = p.recorder.begin(EventKind::all_to_all, StreamId::comm);
  p.communicator->exchange(exchanges);
  p.recorder.end(span, bytes);
  p.recorder.wait(p.device.record(StreamId::comm), StallCause::peers);
}

void predict(const DenoiseParts& p, int expert, bool guided, int64_t prediction_bytes) {
  Workspace& w = p.workspace;
  const bool split = guided && p.plan.cfg > 1;
  const bool makes_cond = !split || p.rank < p.plan.sequence_ranks();
  const bool makes_uncond = guided && (!split || !makes_cond);
  if (makes_cond) {
    const NvtxRange range("forward cond");
    p.recorder.set_forward(cond);
    p.transformer.forward(expert, w.prompt, w.cond, makes_uncond ? Beginning::keep : Beginning::own);
  }
  if (makes_uncond) {
    const NvtxRange range("forward uncond");
    p.recorder.set_forward(uncond);
    p.transformer.forward(expert, w.negative_prompt, w.uncond, makes_cond ? Beginning::kept : Beginning::own);
  }
  p.recorder.set_forward(-1);
  if (split) exchange_predictions(p, prediction_bytes);
}

}  // namespace

int denoise(const DenoiseSettings& settings, const DenoiseParts& p, const std::function<bool(int)>& after_step) {
  Workspace& w = p.workspace;
  Ops& ops = p.device.ops();
  const std::vector<UniPCStep> scheduler = unipc_steps(settings.schedule);
  const int switch_at = switch_step(settings.schedule, settings.boundary_ratio).value_or(0);
  const bool guided = settings.guidance_scale > 1;
  const int64_t values = p.plan.tokens_per_rank * p.transformer.config().patch_values();

  for (size_t i = 0; i < scheduler.size(); ++i) {
    const int step = static_cast<int>(i) + 1;
    const int expert = switch_at > 0 && step >= switch_at ? 1 : 0;
    const int timestep = settings.schedule.timesteps[i];
    const NvtxRange range("step");
    p.recorder.begin_step(step, expert + 1, timestep, settings.schedule.sigmas[i]);
    p.offload.begin_step(expert);
    p.transformer.set_timestep(timestep);
    ops.convert(DType::f32, w.latents, w.type, w.tokens, values);
    predict(p, expert, guided, values * size_of(w.type));

    UniPCStep numbers = scheduler[i];
    numbers.guidance = static_cast<float>(expert == 0 ? settings.guidance_scale : settings.guidance_scale_2);
    const Recorder::Span span = p.recorder.begin(EventKind::compute, StreamId::compute);
    ops.unipc_step(w.type, numbers, w.cond, guided ? w.uncond : nullptr, w.noise_pred, w.latents, w.last, w.m0, w.m1,
                   values);
    p.recorder.end(span);
    p.recorder.end_step();
    if (!after_step(step)) return step;
  }
  return static_cast<int>(scheduler.size());
}

}  // namespace wansweep
