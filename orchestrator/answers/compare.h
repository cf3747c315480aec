// Compares two sweeps, configuration by configuration: the effect of a correction, or of any other change, on each
// metric.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/answers/bootstrap.h"
#include "orchestrator/store/database.h"
#include "orchestrator/store/query/table.h"

namespace wansweep {

// One side of a comparison, from the database: the newest complete attempt of each run, superseded or not.
struct ComparedConfiguration {
  std::map<std::string, std::string> settings;               // by name; settings that are not set are absent
  std::map<std::string, std::map<int64_t, double>> samples;  // by metric, then by repeat; metrics in compare.cc
  std::map<int64_t, double> resident;  // by repeat: the total of the resident run that does the same work; may be empty
};
struct ComparedSweep {
  std::string name;
  std::map<std::string, ComparedConfiguration> configurations;  // by settings_hash
  std::map<std::string, std::string> replaced_by;  // settings_hash here -> settings_hash in the correcting sweep
};
ComparedSweep load_sweep(Store& store, const std::string& name);

struct MetricChange {
  std::string metric;  // "total", "switch step", ...
  std::string unit;    // "s", "MiB", "%"; empty for the switch step
  size_t runs_before = 0;
  size_t runs_after = 0;
  std::optional<double> before;  // medians; nullopt when no run has the metric
  std::optional<double> after;
  std::optional<BootstrapInterval>
      interval;  // the interval of the change; nullopt with fewer than three repeats on a side
};

struct ConfigurationChange {
  std::string name;  // made of the settings that vary in the old sweep: "ranks=4 offload=swap"
  std::vector<MetricChange> metrics;
};

struct Comparison {
  std::string before;
  std::string after;
  std::vector<std::string> changed;  // settings that differ between the sweeps: "flow_shift 3 -> 12"
  std::vector<ConfigurationChange> configurations;
  size_t only_before = 0;  // number of configurations without a partner
  size_t only_after = 0;
};

// Pairs configurations by the lineage of a rerun or, without one, by all settings except those whose values differ
// between the sweeps throughout. Throws bad_input when no configuration has a partner, or one has several.
Comparison compare_sweeps(const ComparedSweep& before, const ComparedSweep& after);

// The result in one sentence.
std::string sentence_of(const Comparison& comparison);

// The sentence, followed by the rows as a table for people.
std::string text_of(const Comparison& comparison);

// One row for each configuration and metric: before, after, change, its interval and the verdict.
Table table_of(const Comparison& comparison);

}  // namespace wansweep
