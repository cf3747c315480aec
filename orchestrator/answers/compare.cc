// Three queries read a sweep (samples, settings, which run supersedes which); the rest of the file works on values.
// Pairing by settings leaves out each setting whose set of values differs between the sweeps. If two new configurations
// then get the same key, the comparison is refused, since either choice would be a guess.
// All metrics are columns of the database except `overhead`, which compares the median total with that of the resident
// runs, as offload_comparison does. Its interval resamples the repeats in pairs, so that a slow hour counts for both: a
// launcher runs all configurations once before it repeats any.
// run_query takes no parameters: a sweep's name goes into the SQL as text, and one with a quote is refused.

#include "orchestrator/answers/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "orchestrator/store/query/query.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

struct Metric {
  const char* name;
  const char* unit;
  const char* sql;  // of newest_attempt a, attempt_time t, attempt_waits w, attempt_load l; nullptr: worked out here
};
constexpr const char* overhead = "overhead";  // over the resident runs that do the same work
constexpr std::array<Metric, 8> metrics{{{"total", "s", "t.total_ns / 1e9"},
                                         {overhead, "%", nullptr},
                                         {"median step", "s", "t.median_step_ns / 1e9"},
                                         {"switch step", "", "t.switch_step * 1.0"},
                                         {"spike", "s", "t.spike_ns / 1e9"},
                                         {"exposed transfer", "s", "w.exposed_transfer_ns / 1e9"},
                                         {"first load", "s", "l.first_load_ns / 1e9"},
                                         {"peak memory", "MiB", "w.device_peak / 1048576.0"}}};

using Settings = std::map<std::string, std::string>;

Settings without(Settings settings, const std::set<std::string>& names) {
  std::erase_if(settings, [&](const auto& setting) { return names.contains(setting.first); });
  return settings;
}

// All but those that say how weights move: where they are equal, runs do the same work.
Settings work_settings(Settings settings) {
  for (const std::string_view name : settings_of(Role::offload)) settings.erase(std::string(name));
  return settings;
}

bool is_resident(const Settings& settings) {
  const auto mode = settings.find("offload");
  return mode != settings.end() && mode->second == name_of(OffloadMode::resident);
}

void find_resident_runs(ComparedSweep& sweep) {
  for (auto& [hash, configuration] : sweep.configurations) {
    if (!configuration.settings.contains("offload") || is_resident(configuration.settings)) continue;
    for (const auto& [other_hash, other] : sweep.configurations) {
      const auto totals = other.samples.find("total");
      if (!is_resident(other.settings) || totals == other.samples.end() ||
          work_settings(other.settings) != work_settings(configuration.settings)) {
        continue;
      }
      configuration.resident = totals->second;
      break;
    }
  }
}

// All values that each setting takes in the sweep.
std::map<std::string, std::set<std::string>> values_of(const ComparedSweep& sweep) {
  std::set<std::string> names;
  for (const auto& [hash, configuration] : sweep.configurations) {
    for (const auto& [name, value] : configuration.settings) names.insert(name);
  }
  std::map<std::string, std::set<std::string>> values;
  for (const auto& [hash, configuration] : sweep.configurations) {
    for (const std::string& name : names) {
      const auto found = configuration.settings.find(name);
      values[name].insert(found == configuration.settings.end() ? "none" : found->second);
    }
  }
  return values;
}

std::string name_of(const Settings& settings, const std::map<std::string, std::set<std::string>>& values) {
  std::string name;
  for (const auto& [setting, value] : settings) {
    if (values.at(setting).size() > 1) name += fmt::format("{}{}={}", name.empty() ? "" : " ", setting, value);
  }
  return name.empty() ? "all" : name;
}

struct Pair {
  std::string before;
  std::string after;
};

std::vector<Pair> pair_by_lineage(const ComparedSweep& before, const ComparedSweep& after) {
  std::vector<Pair> pairs;
  for (const auto& [hash, configuration] : before.configurations) {
    const auto found = before.replaced_by.find(hash);
    if (found != before.replaced_by.end() && after.configurations.contains(found->second)) {
      pairs.push_back({hash, found->second});
    }
  }
  return pairs;
}

std::vector<Pair> pair_by_settings(const ComparedSweep& before, const ComparedSweep& after) {
  const auto old_values = values_of(before);
  const auto new_values = values_of(after);
  std::set<std::string> changed;
  for (const auto& [name, values] : old_values) {
    const auto found = new_values.find(name);
    if (found == new_values.end() || found->second != values) changed.insert(name);
  }
  for (const auto& [name, values] : new_values) {
    if (!old_values.contains(name)) changed.insert(name);
  }
  std::map<Settings, std::string> partners;
  for (const auto& [hash, configuration] : after.configurations) {
    if (!partners.emplace(without(configuration.settings, changed), hash).second) {
      throw bad_input(
          fmt::format("compare: configurations of {} differ only in settings whose values {} does not have; "
                      "each configuration needs exactly one partner",
                      after.name, before.name));
    }
  }
  std::vector<Pair> pairs;
  for (const auto& [hash, configuration] : before.configurations) {
    const auto found = partners.find(without(configuration.settings, changed));
    if (found != partners.end()) pairs.push_back({hash, found->second});
  }
  return pairs;
}

void note_changes(const Settings& before, const Settings& after, std::vector<std::string>& changed) {
  Settings names = before;
  names.insert(after.begin(), after.end());
  const auto value = [](const Settings& settings, const std::string& name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string("none") : found->second;
  };
  for (const auto& [name, unused] : names) {
    if (value(before, name) == value(after, name)) continue;
    const std::string line = fmt::format("{} {} -> {}", name, value(before, name), value(after, name));
    if (std::find(changed.begin(), changed.end(), line) == changed.end()) changed.push_back(line);
  }
}

using Samples = std::map<int64_t, double>;  // by repeat

std::vector<double> values_of(const Samples& samples) {
  std::vector<double> values;
  for (const auto& [repeat, value] : samples) values.push_back(value);
  return values;
}

Samples samples_of(const ComparedConfiguration& configuration, const char* metric) {
  const auto found = configuration.samples.find(metric);
  return found == configuration.samples.end() ? Samples() : found->second;
}

std::optional<MetricChange> change_of(const Metric& metric, const ComparedConfiguration& before,
                                      const ComparedConfiguration& after) {
  const std::vector<double> old_values = values_of(samples_of(before, metric.name));
  const std::vector<double> new_values = values_of(samples_of(after, metric.name));
  if (old_values.empty() && new_values.empty()) return std::nullopt;
  MetricChange change{metric.name, metric.unit, old_values.size(), new_values.size(), {}, {}, {}};
  if (!old_values.empty()) change.before = median(old_values);
  if (!new_values.empty()) change.after = median(new_values);
  change.interval = bootstrap_difference(old_values, new_values);
  return change;
}

// Percent by which the median total exceeds that of the resident runs.
std::optional<double> overhead_of(const ComparedConfiguration& configuration) {
  const Samples totals = samples_of(configuration, "total");
  if (totals.empty() || configuration.resident.empty()) return std::nullopt;
  return 100 * (median(values_of(totals)) / median(values_of(configuration.resident)) - 1);
}

std::vector<PairedValue> pairs_of(const ComparedConfiguration& configuration) {
  std::vector<PairedValue> pairs;
  for (const auto& [repeat, total] : samples_of(configuration, "total")) {
    const auto resident = configuration.resident.find(repeat);
    if (resident != configuration.resident.end()) pairs.push_back({total, resident->second});
  }
  return pairs;
}

std::optional<MetricChange> change_of_overhead(const Metric& metric, const ComparedConfiguration& before,
                                               const ComparedConfiguration& after) {
  const std::vector<PairedValue> old_pairs = pairs_of(before), new_pairs = pairs_of(after);
  MetricChange change{metric.name,        metric.unit, old_pairs.size(), new_pairs.size(), overhead_of(before),
                      overhead_of(after), {}};
  if (!change.before && !change.after) return std::nullopt;
  change.interval = bootstrap_ratio_difference(old_pairs, new_pairs);
  if (change.interval) {
    change.interval->low *= 100;
    change.interval->high *= 100;
  }
  return change;
}

std::vector<MetricChange> changes_of(const ComparedConfiguration& before, const ComparedConfiguration& after) {
  std::vector<MetricChange> changes;
  for (const Metric& metric : metrics) {
    std::optional<MetricChange> change =
        metric.sql != nullptr ? change_of(metric, before, after) : change_of_overhead(metric, before, after);
    if (change) changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace

ComparedSweep load_sweep(Store& store, const std::string& name) {
  if (name.find('\'') != name.npos) throw bad_input(fmt::format("{}: is not the name of a sweep", name));
  ComparedSweep sweep;
  sweep.name = name;
  std::string columns;
  for (const Metric& metric : metrics) columns += fmt::format(", {}", metric.sql != nullptr ? metric.sql : "NULL");
  const Table samples = run_query(
      store,
      fmt::format(
          "SELECT r.config, r.repeat{} FROM newest_attempt a JOIN run r ON r.id = a.run_id JOIN sweep p ON p.id = "
          "r.sweep_id JOIN attempt_time t ON t.attempt_id = a.id LEFT JOIN attempt_waits w ON "
          "w.attempt_id = a.id LEFT JOIN attempt_load l ON l.attempt_id = a.id WHERE p.name = '{}' ORDER BY r.config, "
          "r.repeat",
          columns, name));
  for (const auto& row : samples.rows) {
    ComparedConfiguration& configuration = sweep.configurations[std::get<std::string>(row[0])];
    for (size_t i = 0; i < metrics.size(); ++i) {
      if (const double* value = std::get_if<double>(&row[i + 2])) {
        configuration.samples[metrics[i].name][std::get<int64_t>(row[1])] = *value;
      }
    }
  }
  const Table settings = run_query(
      store, fmt::format("SELECT DISTINCT r.config, s.name, s.value FROM run r JOIN sweep p ON p.id = r.sweep_id JOIN "
                         "setting s ON s.run_id = r.id WHERE p.name = '{}' AND s.value IS NOT NULL",
                         name));
  for (const auto& row : settings.rows) {
    const auto found = sweep.configurations.find(std::get<std::string>(row[0]));
    if (found != sweep.configurations.end()) {
      found->second.settings[std::get<std::string>(row[1])] = std::get<std::string>(row[2]);
    }
  }
  const Table replaced = run_query(
      store,
      fmt::format("SELECT DISTINCT r.config, n.config FROM run r JOIN sweep p ON p.id = r.sweep_id JOIN run n ON "
                  "n.id = r.superseded_by WHERE p.name = '{}'",
                  name));
  for (const auto& row : replaced.rows) {
    sweep.replaced_by[std::get<std::string>(row[0])] = std::get<std::string>(row[1]);
  }
  find_resident_runs(sweep);
  return sweep;
}

Comparison compare_sweeps(const ComparedSweep& before, const ComparedSweep& after) {
  std::vector<Pair> pairs = pair_by_lineage(before, after);
  if (pairs.empty()) pairs = pair_by_settings(before, after);
  if (pairs.empty()) {
    throw bad_input(fmt::format("compare: no configuration of {} ({}) has a partner in {} ({})", before.name,
                                before.configurations.size(), after.name, after.configurations.size()));
  }
  Comparison comparison;
  comparison.before = before.name;
  comparison.after = after.name;
  const auto values = values_of(before);
  std::set<std::string> used;
  for (const Pair& pair : pairs) {
    const ComparedConfiguration& old_side = before.configurations.at(pair.before);
    const ComparedConfiguration& new_side = after.configurations.at(pair.after);
    used.insert(pair.after);
    note_changes(old_side.settings, new_side.settings, comparison.changed);
    comparison.configurations.push_back({name_of(old_side.settings, values), changes_of(old_side, new_side)});
  }
  std::sort(comparison.configurations.begin(), comparison.configurations.end(),
            [](const ConfigurationChange& a, const ConfigurationChange& b) { return a.name < b.name; });
  comparison.only_before = before.configurations.size() - pairs.size();
  comparison.only_after = after.configurations.size() - used.size();
  return comparison;
}

}  // namespace wansweep
