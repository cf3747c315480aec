// Plans what a probe measures for a sweep. Each distinct shape of the sweep's runs is measured once. The worker is
// started as seldom as possible: once for each number of ranks and each way to start ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "schema/probe/record.h"

namespace wansweep {

inline constexpr double default_probe_seconds = 90;

// Makes a plan of probes for the configurations of `jobs` that the worker runs with a number of ranks that is in
// `ranks` (empty: with any number). The plan has a configuration for each start of the worker, with the shapes that
// this start measures and its share of `seconds`. Shapes and starts are in the order of the sweep. A start takes its
// settings from the one of its configurations that needs the least host memory. Throws bad_input when nothing is left
// to measure, and when `ranks` has a number that the sweep does not.
Plan plan_probe(const Plan& jobs, const std::vector<int64_t>& ranks, double seconds);

// The records that the attempts of the plan `probes` left in `directory`, in the order of the plan. Throws bad_input
// when an attempt left no complete record, with what the worker said.
std::vector<ProbeRecord> read_probe_records(const std::string& directory, const Plan& probes);

}  // namespace wansweep
