// Makes a sweep that corrects another: the chosen runs with changed settings, in a new directory and under a new name.
// The old sweep is not changed; a record in both directories (store/lineage.h) says which run replaces which.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "orchestrator/store/lineage.h"

namespace wansweep {

// A change "KEY=VALUE". The value `catalog` resets the setting, so that the model's files and the catalog decide it.
struct Change {
  std::string key;
  std::string value;

  std::string text() const { return key + "=" + value; }
};

// Throws bad_input for text that is not KEY=VALUE, and for an unknown key, naming the nearest one.
Change parse_change(const std::string& text);

// The same for several. Throws bad_input when two of them set one setting to different values.
std::vector<Change> parse_changes(const std::vector<std::string>& texts);

// Sets the setting from its text; its origin becomes "user". Throws bad_input as set_field does, and for the value
// `catalog`.
void apply_change(RunSettings& settings, const Change& change);

// The settings that a user would have written for the run that `used` records, with the changes applied. Settings that
// a resolver had filled are open again, so that a new resolver or model decides them. Throws bad_input for an
// impossible value.
RunSettings corrected(const RunSettings& used, const std::vector<Change>& changes);

struct RerunRequest {
  std::string directory;      // the directory of the sweep to correct
  std::string name;           // the new sweep's name; empty: the first free <old name>-rerun<N>
  std::string new_directory;  // the new sweep's directory; empty: named as the new sweep, beside the old one
  std::vector<Change> changes;
  std::string reason;
  std::string where;                               // the user's condition, for the record
  std::optional<std::vector<std::string>> chosen;  // names of the runs; nullopt: all
};

// A configuration of the old sweep that changes.
struct CorrectedConfiguration {
  std::string name;  // the name without the repeat
  size_t runs = 0;
  RunSettings before;
  size_t after = 0;  // index into Rerun::plan.configurations
};

struct Rerun {
  Lineage lineage;
  std::string toml;  // the text of sweep.toml in the new directory
  Sweep sweep;
  Plan plan;
  std::vector<CorrectedConfiguration> configurations;
  size_t unchanged = 0;   // chosen runs that have these settings already, and are not rerun
  size_t superseded = 0;  // chosen runs that an earlier rerun superseded, and are not rerun
};

// Plans the new sweep, and writes nothing. `configurations` is empty when there is no run to replace. Throws bad_input
// when the sweep, a change or a resulting configuration cannot be used.
Rerun plan_rerun(const RerunRequest& request);

// Creates the new directory, atomically, and then the record in the old one. Throws Error(output), and bad_input when
// the directory exists already. The caller holds the old sweep's lock.
void write_rerun(const Rerun& rerun);

// Writes missing records in `directory` of reruns that were killed before they wrote them; finds reruns that lie beside
// `directory`. To be called before plan_rerun, with the lock held.
void complete_cut_off_reruns(const std::string& directory);

// The changes as text: one row for each setting and for the switch step, and the settings that still differ from the
// catalog.
std::string rerun_as_text(const Rerun& rerun);

}  // namespace wansweep
