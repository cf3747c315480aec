#include "worker/loop/denoise.h"

#include <array>
#include <new>
#include <span>
#include <vector>

#include "worker/loop/unipc.h"
#include "worker/trace/nvtx.h"

namespace wansweep {

namespace {

// With cfg_parallel, each half of the ranks has computed one prediction. This exchange gives both to every rank, which
// combines them in the same order as a single rank would, so that the result is the same bit for bit.
void exchange_predictions(const ModelContext& c, Place place, int64_t bytes) {
  const int half = c.plan().sequence_ranks();
  const bool made_cond = c.rank < half;
  const int peer = made_cond ? c.rank + half : c.rank - half;
  void* made = made_cond ? c.workspace.cond : c.workspace.uncond;
  void* missing = made_cond ? c.workspace.uncond : c.workspace.cond;
  const std::array<Exchange, 2> exchanges{Exchange{peer, made, bytes, nullptr, 0},
                                          Exchange{peer, nullptr, 0, missing, bytes}};
  c.device.wait(StreamId::comm, c.device.record(StreamId::compute));
  const Recorder::Span span = c.recorder.begin(EventKind::all_to_all, StreamId::comm, place);
  c.communicator->exchange(exchanges);
  c.recorder.end(span, bytes);
  c.recorder.wait(c.device.record(StreamId::comm), StallCause::peers, place);
}

// The forwards that this rank runs in a step, in order. Where there are two, the first computes the prefix of both and
// the second starts from it. With guidance_order "block" the second has its own regions of the workspace.
std::vector<Branch> branches_of(const LoopShape& shape, const Workspace& w) {
  std::vector<Branch> branches;
  for (const int8_t forward : shape.forwards) {
    const bool is_cond = forward == forward_cond;
    branches.push_back({.forward = forward,
                        .index = static_cast<int>(branches.size()),
                        .prompt = is_cond ? w.prompt : w.negative_prompt,
                        .prediction = is_cond ? w.cond : w.uncond,
                        .hidden = w.hidden,
                        .text = w.text,
                        .prefix = Prefix::own});
  }
  if (branches.size() < 2) return branches;
  branches[0].prefix = Prefix::keep;
  branches[1].prefix = Prefix::kept;
  if (shape.order == GuidanceOrder::block) {
    branches[1].hidden = w.shared_prefix;
    branches[1].text = w.second_text;
  }
  return branches;
}

// Runs this rank's forwards of a step, pass by pass.
void predict(const LoopShape& shape, std::span<const Branch> branches, Transformer& transformer, int step, int expert) {
  const size_t in_a_pass = branches.size() / passes_of_step(shape).size();
  for (size_t i = 0; i < branches.size(); i += in_a_pass) {
    const NvtxRange range(in_a_pass > 1                         ? "forward both"
                          : branches[i].forward == forward_cond ? "forward cond"
                                                                : "forward uncond");
    transformer.forward(step, expert, branches.subspan(i, in_a_pass));
  }
}

}  // namespace

int denoise(const ModelContext& c, Transformer& transformer, const std::function<bool(const StepEnd&)>& after_step) {
  const RunPlan& run = c.run;
  const LoopShape shape = loop_shape(run, c.rank);
  Workspace& w = c.workspace;
  const std::vector<Branch> branches = branches_of(shape, w);
  Ops& ops = c.device.ops();
  const std::vector<UniPCStep> scheduler = unipc_steps(run.sigmas);
  const double guidance = *run.settings.guidance_scale;  // of the high-noise expert
  const double guidance_2 = run.settings.guidance_scale_2.value_or(guidance);
  const bool splits_guidance = run.guided && c.plan().cfg > 1;
  const int64_t valid_values = place_of(c.plan(), c.rank).valid_tokens * c.config().patch_values();
  const Buffer count = c.device.allocate_host(sizeof(int64_t), HostMemory::pinned, "count of values");
  auto* not_finite = new (count.data()) int64_t{0};
  const FinishOnExit finish(c.device);  // a copy to `count` may be under way
  const int64_t values = c.plan().tokens_per_rank * c.config().patch_values();

  for (int step = 1; step <= shape.steps; ++step) {
    const auto i = static_cast<size_t>(step - 1);
    const int expert = expert_of_step(shape, step);
    const Place place{static_cast<int8_t>(expert), -1, -1};
    const int timestep = run.sigmas.timesteps[i];
    const NvtxRange range("step");
    c.recorder.begin_step(step, expert, timestep, run.sigmas.sigmas[i]);
    transformer.set_timestep(timestep);
    ops.convert(DType::f32, w.latents, w.type, w.tokens, values);
    predict(shape, branches, transformer, step, expert);
    if (splits_guidance) exchange_predictions(c, place, values * size_of(w.type));

    UniPCStep numbers = scheduler[i];
    numbers.guidance = static_cast<float>(expert == 0 ? guidance : guidance_2);
    const Recorder::Span span = c.recorder.begin(EventKind::compute, StreamId::compute, place);
    ops.unipc_step({.type = w.type,
                    .step = numbers,
                    .cond = w.cond,
                    .uncond = run.guided ? w.uncond : nullptr,
                    .noise_pred = w.noise_pred,
                    .x = w.latents,
                    .last = w.last,
                    .m0 = w.m0,
                    .m1 = w.m1,
                    .n = values});
    ops.count_not_finite(w.latents, valid_values, w.not_finite);
    c.recorder.end(span);
    c.device.copy_out(StreamId::compute, not_finite, w.not_finite, count.bytes());
    c.recorder.end_step(not_finite);
    if (!after_step({step, *not_finite})) return step;
  }
  return shape.steps;
}

}  // namespace wansweep
