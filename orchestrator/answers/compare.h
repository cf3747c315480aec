// Two sweeps, configuration by configuration: what a correction, or any other change, did to each metric.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/answers/bootstrap.h"
#include "orchestrator/store/database.h"
#include "orchestrator/store/query/table.h"

namespace wansweep {

// One side as the database has it: the newest complete attempt of each run, superseded or not.
struct ComparedConfiguration {
  std::map<std::string, std::string> settings;               // by name; those that are not set are absent
  std::map<std::string, std::map<int64_t, double>> samples;  // by metric, then by repeat; metrics in compare.cc
};
struct ComparedSweep {
  std::string name;
  std::map<std::string, ComparedConfiguration> configurations;  // by settings_hash
  std::map<std::string, std::string> replaced_by;  // settings_hash of this sweep -> of one that corrects it
};
ComparedSweep load_sweep(Store& store, const std::string& name);

struct MetricChange {
  std::string metric;  // "total", "switch step", ...
  std::string unit;    // "s", "MiB", "%"; empty for the switch step
  size_t runs_before = 0;
  size_t runs_after = 0;
  std::optional<double> before;  // medians; nullopt: no run has it
  std::optional<double> after;
  std::optional<Interval> interval;  // of the change; nullopt: fewer than three repeats on a side
};

struct ConfigurationChange {
  std::string name;  // the settings that vary in the old sweep: "ranks=4 offload=swap"
  std::vector<MetricChange> metrics;
};

struct Comparison {
  std::string before;
  std::string after;
  std::vector<std::string> changed;  // settings that the sweeps differ in: "flow_shift 3 -> 12"
  std::vector<ConfigurationChange> configurations;
  size_t only_before = 0;  // configurations without a partner
  size_t only_after = 0;
};

// Partners are found by the lineage of a rerun; without one, by all settings but those that differ between the sweeps
// everywhere. Throws bad_input when no configuration has a partner, or when one has several.
Comparison compare_sweeps(const ComparedSweep& before, const ComparedSweep& after);

// The answer in a sentence.
std::string sentence_of(const Comparison& comparison);

// The same rows for people, after the sentence.
std::string text_of(const Comparison& comparison);

// A row a configuration and metric: before, after, change, its interval and the verdict.
Table table_of(const Comparison& comparison);

}  // namespace wansweep
