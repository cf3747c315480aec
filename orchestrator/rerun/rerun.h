// A sweep that corrects another: the chosen runs with some settings changed, in a directory and under a name of its
// own. The old sweep keeps all that it has; a record in both directories (store/lineage.h) says which run replaces
// which.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "orchestrator/store/lineage.h"

namespace wansweep {

// "key=value". The value `catalog` takes back what was set or resolved before: the model's files and the catalog
// decide.
struct Change {
  std::string key;
  std::string value;

  std::string text() const { return key + "=" + value; }
};

// Throws bad_input for what is not key=value, and for an unknown key, naming the nearest one.
Change parse_change(const std::string& text);

// Sets the setting from its text; its origin becomes "user". Throws bad_input as set_field does, and for the value
// `catalog`, which is no setting's own.
void apply_change(RunSettings& settings, const Change& change);

// What a user would have written for the run that `used` records, with the changes made. Settings that a resolver had
// filled in are open again: with another resolver, or another model, all that followed from the old one follows from
// the new one. Throws bad_input for a value that the setting cannot take.
RunSettings corrected(const RunSettings& used, const std::vector<Change>& changes);

struct RerunRequest {
  std::string directory;      // of the sweep to correct
  std::string name;           // of the new sweep; empty: <old name>-rerun<N>, the first that is free
  std::string new_directory;  // empty: beside the old one, called as the new sweep
  std::vector<Change> changes;
  std::string reason;
  std::string where;                               // as the user gave it, for the record
  std::optional<std::vector<std::string>> chosen;  // names of the runs; nullopt: all
};

// One configuration of the old sweep that changes.
struct CorrectedConfiguration {
  std::string name;  // without the repeat
  size_t runs = 0;
  RunSettings before;
  size_t after = 0;  // index into Rerun::plan.configurations
};

struct Rerun {
  Lineage lineage;
  std::string toml;  // sweep.toml of the new directory: the new sweep, standing alone
  Sweep sweep;
  Plan plan;
  std::vector<CorrectedConfiguration> configurations;
  size_t unchanged = 0;   // chosen runs that have these settings already; left as they are
  size_t superseded = 0;  // chosen runs that an earlier rerun replaced; left as they are
};

// Works out the new sweep, and writes nothing. With no run to replace, `configurations` is empty. Throws bad_input when
// the sweep, a change or a resulting configuration cannot be used.
Rerun plan_rerun(const RerunRequest& request);

// Makes the new directory, whole or not at all, then the record in the old one. Throws Error(output), and bad_input
// when the directory is there already. The caller holds the old sweep's lock.
void write_rerun(const Rerun& rerun);

// Writes the record in the old directory where a rerun was cut off before it: `directory`'s, as far as the new ones lie
// beside it. To be called, with the lock held, before plan_rerun.
void complete_cut_off_reruns(const std::string& directory);

// What changes, before it does: a row a setting, the switch step among them, and what still differs from the catalog.
std::string rerun_as_text(const Rerun& rerun);

}  // namespace wansweep
