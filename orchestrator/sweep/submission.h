// submissions/<token>/: one job array that was submitted to Slurm, or is about to be. The token is the job's name.
//
//   manifest       the members' attempt folders, one on each line: the line number, from 0, is the array index
//   job.sh         the script for sbatch
//   intent.json    written and synced after these two and before sbatch runs: from then on the array may exist
//   outcome.json   the outcome; while it is missing, Slurm must be asked
//   started.JOBID  made by the array's first member that ran
//
// Only "no such file" means that a record is absent. A submission that cannot be read may be in Slurm, so none of its
// members is withdrawn or submitted again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"
#include "slurm/job_script.h"
#include "slurm/profile.h"

namespace wansweep {

enum class SubmissionState {
  submitted,  // Slurm accepted the array
  refused,    // Slurm refused it
  withdrawn,  // given up: Slurm never had the array
};

constexpr std::string_view name_of(SubmissionState state) {
  switch (state) {
    case SubmissionState::submitted:
      return "submitted";
    case SubmissionState::refused:
      return "refused";
    case SubmissionState::withdrawn:
      return "withdrawn";
  }
  return {};
}

struct SubmissionOutcome {
  SubmissionState state = SubmissionState::submitted;
  int64_t job_id = 0;
  std::string line;  // why it was refused or withdrawn; how a forgotten job was found
};

struct Submission {
  std::string token;
  std::string directory;
  ClusterProfile profile;
  ResourceShape shape;  // the request of each member
  std::string worker;
  int running = 0;                   // the most members at a time; 0: all
  int max_running = 0;               // the user's limit for the whole sweep; 0: none
  int64_t created_at = 0;            // seconds of the epoch
  bool by_hand = false;              // made by `wansweep generate`, for a person to submit
  std::vector<std::string> members;  // names of attempt folders, by index
  std::optional<SubmissionOutcome> outcome;
};

// A new, unique token: "ws-1f0c93ab-5e0d41c7".
std::string make_token(const std::string& sweep);

// Writes all files except outcome.json, with intent.json last. Throws Error(output).
void write_intent(const Submission& submission, const std::string& script);
void write_outcome(Submission& submission, const SubmissionOutcome& outcome);

struct UnreadableSubmission {
  std::string token;  // the folder's name
  std::string line;   // the file and what is wrong with it
};

struct Submissions {
  std::vector<Submission> known;                 // submissions with an intent, oldest first
  std::vector<UnreadableSubmission> unreadable;  // submissions that cannot be read

  // Whether the submission of that token exists but cannot be read.
  bool is_unreadable(const std::string& token) const;
};

// Reads submissions/; a missing folder has none. Throws bad_input when the folder cannot be listed.
Submissions read_submissions(const std::string& sweep_directory);

// The job id in the name of a started file; nullopt when no member has started. Throws bad_input when the folder cannot
// be listed.
std::optional<int64_t> started_job(const Submission& submission);

// Whether nothing but Slurm itself could tell that somebody submitted the script: it was made for a person, has no
// outcome, and no job of it has started. Throws bad_input as started_job does.
bool is_only_generated(const Submission& submission);

}  // namespace wansweep
