// Everything that follows from a run's settings, computed in one place: what is computed, by which ranks, in which
// memory.
//
// The orchestrator makes the plan and writes it into spec.json beside the settings. The worker makes it again, refuses
// to run when the two differ, and writes it into the trace, where the store reads it. No other code derives any of it.
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
  RunSettings settings;  // resolved: every setting that the loop needs has a value
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

// The sizes of the latents and the text: from the header of the file settings.inputs, or from settings.size and frames.
// Throws bad_input.
InputShape input_shape_of(const RunSettings& settings, const ModelIdentity& model);

// Throws bad_input when the run cannot work; the line begins with the setting to correct, if there is one. Reasons:
// settings that do not go together (validate), a model that the worker does not run, sizes that the patch does not
// divide, ranks that cannot share the sequence. Throws Error(device_memory) when the run needs more than
// `device_memory`.
RunPlan make_run_plan(RunSettings resolved, const ModelIdentity& model, const InputShape& input);

// The same from the settings as a user gave them: resolves the model from its files and reads the header of the inputs.
RunPlan make_run_plan(RunSettings settings);

// The shape of the loop of `rank`. It is the same for all ranks, except that with cfg_parallel each rank runs only one
// of the two forwards.
LoopShape loop_shape(const RunPlan& plan, int rank);

// Which weights are copied where and when. The schedule refers to uses by index, so it is the same for all ranks. It is
// made on demand because it is large and a sweep has many plans.
Schedule schedule_of(const RunPlan& plan);

// The numbers of groups in which the run may exchange its heads, the fewest first: its setting alone, or the numbers
// that its warm-up tries in order to take the fastest.
std::vector<int> exchange_groups_to_try(const RunPlan& plan);

// Whether copies yield to exchanges where yield_to_collectives is auto: the worker decides so by what it measures, and
// a prediction by a machine's numbers. `slowdown`: the time of an exchange beside copies over its time alone.
// `copy_seconds`: the time of one rank's copies in a median step, and `step_seconds` that of the step without copies.
// Copies that take long beside the step cannot wait, since they would be late for their blocks.
bool copies_yield(double slowdown, double copy_seconds, double step_seconds);

// The bytes of a chunk where copies yield and chunk_bytes is 0: 0.6 ms on PCIe 5, and 21 trace rows for a block of
// A14B.
inline constexpr int64_t chunk_where_copies_yield = int64_t{32} << 20;

// Whether the ranks of a node copy parts for each other where `cooperative` is auto. `whole` and `parts`: the time of a
// piece that each rank copies whole, and of one that the ranks copy in parts, in one unit.
bool copies_cooperate(double whole, double parts);

// The time of the blocks of one step on rank 0, when one block takes `block_seconds`.
double blocks_of_step(const RunPlan& plan, double block_seconds);

// The bytes of device memory that a rank may use; nullopt means all of the device, whose size only the worker knows.
std::optional<int64_t> device_memory_limit(const RunSettings& settings);

// The plan without the settings, as spec.json and the trace hold it.
nlohmann::json plan_to_json(const RunPlan& plan);

// One line on the first difference between two such objects, "switch_step was planned as 19, and is now 10"; empty when
// they are equal.
std::string plan_difference(const nlohmann::json& planned, const nlohmann::json& made);

}  // namespace wansweep
