#include "worker/job.h"

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

Job prepare_job(RunSpec spec, int ranks) {
  if (spec.origins.contains("ranks") && spec.ranks != ranks) {
    throw bad_input(fmt::format("ranks is {}, but MPI started {}; start as many", spec.ranks, ranks));
  }
  spec.ranks = ranks;
  Job job;
  job.model = resolve_spec(spec);
  validate(spec);
  const ModelConfig& config = job.model.config;
  if (config.in_channels != config.out_channels) {
    throw bad_input(
        fmt::format("model: {} input and {} output channels; the worker runs text to video only, where they are equal",
                    config.in_channels, config.out_channels));
  }
  if (spec.backend == "cpu" && spec.precision == "bf16") {
    throw bad_input("precision is bf16; the cpu backend computes in fp32");
  }
  job.inputs = make_inputs(spec, config, {job.model.entry->vae_stride_time, job.model.entry->vae_stride_space});

  ParallelRequest request;
  request.ranks = ranks;
  request.cfg_parallel = spec.cfg_parallel;
  if (spec.ulysses) request.ulysses = static_cast<int>(*spec.ulysses);
  if (spec.ring) request.ring = static_cast<int>(*spec.ring);
  request.heads = config.heads;
  request.tokens = token_count(config, job.inputs.shape);
  job.plan = make_parallel_plan(request);

  job.loop.schedule =
      make_flow_schedule(parse_sigma_schedule(spec.sigma_schedule), static_cast<int>(*spec.steps), *spec.flow_shift);
  job.loop.boundary_ratio = job.model.two_experts ? spec.boundary_ratio.value_or(0) : 0;
  job.loop.guidance_scale = *spec.guidance_scale;
  job.loop.guidance_scale_2 = spec.guidance_scale_2.value_or(*spec.guidance_scale);

  job.type =
      spec.precision == "bf16" || (spec.precision == "auto" && spec.backend == "cuda") ? DType::bf16 : DType::f32;
  job.memory = {config,
                job.model.two_experts,
                spec.offload,
                spec.prefetch,
                static_cast<int>(size_of(job.type)),
                job.inputs.text_tokens,
                *spec.guidance_scale > 1};
  job.spec = std::move(spec);
  return job;
}

}  // namespace wansweep
