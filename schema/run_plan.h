// All that follows from a run's settings, worked out in one place: what is computed, by which ranks, in which memory.
//
// The orchestrator plans with it, and writes it into spec.json beside the settings; the worker makes it again, refuses
// a difference, and writes it into the trace; the store reads it there. Nobody else derives any of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "schema/dtype.h"
#include "schema/flow_schedule.h"
#include "schema/latent_shape.h"
#include "schema/memory_estimate.h"
#include "schema/model_catalog.h"
#include "schema/parallel_plan.h"
#include "schema/run_settings.h"
#include "schema/schedule.h"
#include "schema/uses.h"

namespace wansweep {

struct RunPlan {
  RunSettings settings;  // resolved: nothing that the loop needs is open
  ModelIdentity model;
  // The loop's shape.
  DType type = DType::f32;  // of activations and matrices
  InputShape input;
  int64_t tokens = 0;
  ParallelPlan parallel;
  FlowSchedule sigmas;
  std::optional<int> switch_step;  // the first step of the low-noise expert; nullopt: there is none
  bool guided = false;             // a step has two forwards
  // What it takes.
  ActivationRequest activations;
  WeightBytes weights;
  MemoryEstimate memory;
  int block_slots = 0;  // of the schedule
  MovedBytes moved;

  int experts() const { return model.two_experts ? 2 : 1; }
};

// The latents' and the text's sizes: of settings.inputs, whose header is read, or of settings.size and frames. Throws
// bad_input.
InputShape input_shape_of(const RunSettings& settings, const ModelIdentity& model);

// Throws bad_input, its line beginning with the setting to correct where there is one, when the run cannot work:
// settings that do not go together (validate), a model that the worker does not run, sizes that the patch does not
// divide, ranks that do not share them. Throws Error(device_memory) when it needs more than `device_memory` allows.
RunPlan make_run_plan(RunSettings resolved, const ModelIdentity& model, const InputShape& input);

// The same from the settings as a user gave them: resolves the model from its files, and reads the inputs' header.
RunPlan make_run_plan(RunSettings settings);

// What the loop of `rank` goes through: the same for all ranks, but for the forward that each makes where they share
// the guidance.
LoopShape loop_shape(const RunPlan& plan, int rank);

// Which weights go where and when. It speaks of uses by their index alone, and so is the same for all ranks. Made when
// it is asked for: it is large, and plans are many.
Schedule schedule_of(const RunPlan& plan);

// Bytes of a device that a rank may use; nullopt: all that it has, which only the worker sees.
std::optional<int64_t> device_memory_limit(const RunSettings& settings);

// The plan without the settings, as spec.json and the trace hold it.
nlohmann::json plan_to_json(const RunPlan& plan);

// What differs between two such objects, as a line "switch_step was planned as 19, and is 10"; empty: nothing does.
std::string plan_difference(const nlohmann::json& planned, const nlohmann::json& made);

}  // namespace wansweep
