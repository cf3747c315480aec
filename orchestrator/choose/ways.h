// Lists the ways to move weights that a user may choose from, and makes a sweep of them: one configuration for each way
// and number of ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/machines/machine.h"
#include "orchestrator/plan/plan.h"

namespace wansweep {

// The run that the user wants, for which a way to move its weights is to be chosen.
struct Question {
  std::string model;  // a catalog id (random weights of the true size), or a model's directory or config.json
  std::string size;   // WIDTHxHEIGHT
  int64_t frames = 0;
  std::vector<int64_t> ranks;
  std::vector<std::string> set;             // "steps=9": values of settings that are the same in all ways
  std::optional<double> device_memory_gib;  // for each rank; nullopt: what the machine has
  std::optional<double> host_memory_gib;    // for each node; nullopt: what the machine has
};

struct OffloadWay {
  std::string name;      // "layerwise, block order, shared"
  std::string settings;  // settings of this way, as lines of TOML
  int64_t ranks = 1;
};

// All ways, in a fixed order: for each number of ranks, first the ways that SGLang has, then those of this project.
std::vector<OffloadWay> ways_of(const Question& question, const Machine& machine);

// The text of a sweep file that read_sweep reads, with an [[include]] for each way. Throws bad_input when an element of
// question.set is not NAME=VALUE.
std::string sweep_of(const Question& question, const Machine& machine, const std::vector<OffloadWay>& ways,
                     const std::string& name, int repeats);

// The plan of that sweep with one repeat: a configuration for each way, in their order. Nobody wrote the sweep, so its
// problems name no place in it. Throws bad_input for a model that is neither in the catalog nor a path that exists.
Plan plan_of(const Question& question, const Machine& machine, const std::vector<OffloadWay>& ways);

}  // namespace wansweep
