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
  job.run = make_run_plan(std::move(spec));
  const RunPlan& run = job.run;
  job.inputs = make_inputs(run);
  job.model = run.model;
  job.plan = run.parallel;
  job.loop.schedule = run.sigmas;
  job.loop.boundary_ratio = run.model.two_experts ? run.settings.boundary_ratio.value_or(0) : 0;
  job.loop.guidance_scale = *run.settings.guidance_scale;
  job.loop.guidance_scale_2 = run.settings.guidance_scale_2.value_or(*run.settings.guidance_scale);
  job.type = run.type;
  job.memory = run.memory_request;
  job.spec = run.settings;
  return job;
}

}  // namespace wansweep
