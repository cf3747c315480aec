// The plan of a sweep: its configurations, their names and run plans, and their problems, before anything runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/plan/matrix.h"
#include "schema/run_plan.h"
#include "schema/run_settings.h"

namespace wansweep {

// One configuration and everything that follows from it.
struct PlannedConfiguration {
  RunSettings spec;                // resolved as far as possible
  std::string hash;                // settings_hash of `spec`
  std::string name;                // "r4-layerwise-shift12-1f0c93ab": readable, and unique in the sweep
  std::optional<RunPlan> run;      // nullopt when there is a problem
  std::string problem;             // why the configuration cannot run; empty when it can
  std::vector<std::string> drift;  // one line for each setting that differs from the catalog's
  std::vector<std::string> warnings;
  // What an attempt is to measure in place of running the loop, as JSON (schema/probe/request.h). Empty: it runs it.
  std::string probe;

  int64_t host_bytes_per_node() const { return run ? run->memory.host_of_node(run->parallel.ranks) : 0; }
};

struct Plan {
  std::string sweep;
  std::string file;
  int repeats = 1;
  std::vector<PlannedConfiguration> configurations;

  size_t runs() const { return configurations.size() * static_cast<size_t>(repeats); }
  size_t problems() const;
};

Plan make_plan(const Sweep& sweep);

// The runs of the configurations, in their order; null where there is a problem.
std::vector<const RunPlan*> run_plans(const Plan& plan);

// Throws bad_input naming the first problem and the number of problems; returns when there is none.
void refuse_problems(const Plan& plan);

// "r4-layerwise-shift12-1f0c93ab-2", "r4-sglang-swap-shift12-90d31c02-1"
std::string run_name(const PlannedConfiguration& configuration, int repeat);

// A table of the configurations (repeats folded), followed by a line for each problem, drift and warning.
std::string plan_as_table(const Plan& plan);
std::string plan_as_json(const Plan& plan);
// A line for each problem, with the name of the first configuration that has it and the number of the others.
std::string problems_as_text(const Plan& plan);

}  // namespace wansweep
