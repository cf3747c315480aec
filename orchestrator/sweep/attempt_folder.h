// attempts/ of a sweep, read once: the newest attempt of each run, and what could not be read.
//
// Each entry fails alone: a record that is damaged, closed to the user or no regular file costs a line, never the other
// entries. A run to which such an entry belongs is blocked: whether it runs is not known, so it is not started again,
// here or in Slurm, until a person has looked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// Where in a Slurm submission an attempt is.
struct SubmissionPlace {
  std::string token;
  int index = 0;
  std::string worker_sha256 = {};  // of the worker as it was then; empty: not known
};

class AttemptFolder {
 public:
  // Reads the whole folder. A sweep that has none yet has no attempts; one that cannot be listed is bad_input.
  explicit AttemptFolder(const std::string& sweep_directory);

  // The newest attempt of each run that has a readable one, by run name, as they were when the folder was read. One
  // that was withdrawn, and so never ran, is here only where there is no other.
  const std::map<std::string, Attempt>& newest() const { return newest_; }
  // nullptr: none.
  const Attempt* newest_of(const std::string& run) const;

  // Why `run` must not be started, for people, with what to do; nullptr: nothing stands against it.
  const std::string* block_of(const std::string& run) const;
  // By run.
  const std::map<std::string, std::string>& blocks() const { return blocks_; }
  // A line for each entry that cannot be read, those that block a run among them.
  const std::vector<std::string>& problems() const { return problems_; }

  // A new folder with spec.json and attempt.json; its number is one above all that are there. Does not show in
  // newest(). Throws Error(output), and bad_input for a run that is blocked. Takes the same time however many there
  // are; the caller holds the sweep's lock, so that the numbers hold.
  Attempt create(const std::string& sweep, const PlannedConfiguration& configuration, int repeat,
                 const std::optional<SubmissionPlace>& place = std::nullopt);

  // Makes durable what create() wrote. To be called before anything of `created` starts or is submitted. Throws
  // Error(output).
  void sync(const std::vector<Attempt>& created) const;

 private:
  void read_entry(const std::string& directory, const std::string& name);
  void add_problem(const std::string& run, const std::string& line);

  std::string directory_;  // attempts/ itself
  std::map<std::string, Attempt> newest_;
  std::map<std::string, std::string> blocks_;
  std::vector<std::string> problems_;
  std::map<std::string, int> last_number_;  // by run, of all folders that are called so
};

// "r4-swap-shift12-1f0c93ab-2" and 3 of "r4-swap-shift12-1f0c93ab-2-a3"; nullopt: no attempt's folder is called so.
struct AttemptName {
  std::string run;
  int number = 0;
};
std::optional<AttemptName> parse_attempt_name(std::string_view folder);

}  // namespace wansweep
