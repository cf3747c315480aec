// The folder attempts/ of a sweep, read once: the newest attempt of each run, and the entries that cannot be read.
//
// Each entry is read by itself: a record that is damaged, not readable or not a regular file costs a line and hides no
// other entry. The run of such an entry is blocked: since it may be running, it is not started again, here or in Slurm,
// until a person has looked at it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// An attempt's place in a Slurm submission.
struct SubmissionPlace {
  std::string token;
  int index = 0;
  std::string worker_sha256 = {};  // digest of the worker at submission; empty: unknown
};

class AttemptFolder {
 public:
  // Reads the whole folder; a missing one has no attempts. Throws bad_input when it cannot be listed.
  explicit AttemptFolder(const std::string& sweep_directory);

  // The newest readable attempt of each run, by run name, as of the time when the folder was read. A withdrawn attempt,
  // which never ran, is here only when the run has no other.
  const std::map<std::string, Attempt>& newest() const { return newest_; }
  // The newest attempt of `run`; nullptr when there is none.
  const Attempt* newest_of(const std::string& run) const;

  // A line on why `run` must not be started, and what to do; nullptr when it may be.
  const std::string* block_of(const std::string& run) const;
  // The lines of block_of, by run.
  const std::map<std::string, std::string>& blocks() const { return blocks_; }
  // One line for each entry that cannot be read, including those that block a run.
  const std::vector<std::string>& problems() const { return problems_; }

  // Makes a new folder with spec.json and attempt.json; its number is one above the highest. newest() does not change.
  // Throws Error(output), and bad_input for a run that is blocked. Takes constant time. The caller holds the sweep's
  // lock, so that the numbers stay unique.
  Attempt create(const std::string& sweep, const PlannedConfiguration& configuration, int repeat,
                 const std::optional<SubmissionPlace>& place = std::nullopt);

  // Makes the files of create() durable. To be called before anything of `created` is started or submitted. Throws
  // Error(output).
  void sync(const std::vector<Attempt>& created) const;

 private:
  void read_entry(const std::string& directory, const std::string& name);
  void add_problem(const std::string& run, const std::string& line);

  std::string directory_;  // attempts/ itself
  std::map<std::string, Attempt> newest_;
  std::map<std::string, std::string> blocks_;
  std::vector<std::string> problems_;
  std::map<std::string, int> last_number_;  // the highest number of a run's folders, by run
};

// Splits "r4-swap-shift12-1f0c93ab-2-a3" into "r4-swap-shift12-1f0c93ab-2" and 3; nullopt when `name` is not the name
// of an attempt's folder.
struct AttemptName {
  std::string run;
  int number = 0;
};
std::optional<AttemptName> parse_attempt_name(std::string_view folder);

}  // namespace wansweep
