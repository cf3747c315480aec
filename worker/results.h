// What a run leaves behind beside its traces: latents on rank 0, result.safetensors, and the record of every trace.
#pragma once

#include <string>
#include <vector>

#include "schema/completion.h"
#include "schema/run_plan.h"
#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"
#include "worker/trace/recorder.h"

namespace wansweep {

// Rank 0 gets the whole [C, F, H, W] of what each rank holds as tokens on its device.
std::vector<float> gather_latents(MpiWorld& world, Device& device, const RunPlan& run, const float* tokens);

// Every step's tensors one behind the other, for keep_steps.
struct KeptSteps {
  std::vector<float> latents;
  std::vector<float> noise_pred;
};

// DIRECTORY/result.safetensors, with the settings as metadata. Throws Error(output).
void write_result(const std::string& directory, const RunPlan& run, const std::vector<float>& latents,
                  const KeptSteps& kept);

// What write_result wrote, read back. Throws Error(output).
ResultRecord read_back_result(const std::string& directory);

// On rank 0, the traces of every rank as their writers count them; the files must be closed. Throws Error(output) when
// this rank's cannot be read back.
std::vector<TraceRecord> collect_traces(MpiWorld& world, const std::string& directory, const Recorder& recorder);

}  // namespace wansweep
