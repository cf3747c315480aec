// The ways to move weights that a machine's user may choose from, as a sweep: one configuration a way and number of
// ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/machines/machine.h"

namespace wansweep {

// What is to be run, whatever way its weights move.
struct Question {
  std::string model;  // a catalog id (random weights of the true size), or a model's directory or config.json
  std::string size;   // WIDTHxHEIGHT
  int64_t frames = 0;
  std::vector<int64_t> ranks;
  std::vector<std::string> set;             // "steps=9": of any setting that is the same in all ways
  std::optional<double> device_memory_gib;  // of a rank; nullopt: the machine's
  std::optional<double> host_memory_gib;    // of a node; nullopt: the machine's
};

struct OffloadWay {
  std::string name;      // "layerwise, block order, shared"
  std::string settings;  // lines of TOML
  int64_t ranks = 1;
};

// In a fixed order: for each number of ranks SGLang's own ways, then this project's.
std::vector<OffloadWay> ways_of(const Question& question, const Machine& machine);

// As TOML that read_sweep reads, an [[include]] a way. Throws bad_input when `set` has no NAME=VALUE.
std::string sweep_of(const Question& question, const Machine& machine, const std::vector<OffloadWay>& ways,
                     const std::string& name, int repeats);

}  // namespace wansweep
