// What a run is, once its settings are resolved: the same on every rank.
#pragma once

#include "schema/run_plan.h"
#include "worker/loop/denoise.h"
#include "worker/loop/inputs.h"

namespace wansweep {

struct Job {
  RunPlan run;
  RunSpec spec;
  ModelIdentity model;
  RunInputs inputs;
  ParallelPlan plan;
  DenoiseSettings loop;
  MemoryRequest memory;
  DType type = DType::f32;
};

// Resolves the model and every open setting, reads or draws the inputs, plans the parallelism. Throws bad_input.
Job prepare_job(RunSpec spec, int ranks);

}  // namespace wansweep
