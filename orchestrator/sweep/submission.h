// submissions/<token>/: one job array that was sent to Slurm, or is about to be. The token is the job's name.
//
//   manifest       the members' attempt folders, a line each: the line's number, from 0, is the array index
//   job.sh         what sbatch gets
//   intent.json    written and synced last of these, and before sbatch runs: from here on the array may exist
//   outcome.json   what became of it; while it is missing, Slurm must be asked
//   started.JOBID  from the array's first member that ran
//
// Only "no such file" means that a record is absent: a submission that cannot be read may be in Slurm, so none of its
// members is withdrawn or sent again.
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
  submitted,  // Slurm took it
  refused,    // Slurm said no
  withdrawn,  // given up: Slurm never had it
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
  std::string line;  // why refused or withdrawn; how a forgotten job was found
};

struct Submission {
  std::string token;
  std::string directory;
  ClusterProfile profile;
  ResourceShape shape;  // what each member asks for
  std::string worker;
  int running = 0;                   // members at a time, at most; 0: all
  int max_running = 0;               // of all the sweep's, as the user gave it; 0: all
  int64_t created_at = 0;            // seconds of the epoch
  bool by_hand = false;              // of `wansweep generate`: a person runs sbatch, or nobody
  std::vector<std::string> members;  // names of attempt folders, by index
  std::optional<SubmissionOutcome> outcome;
};

// "ws-1f0c93ab-5e0d41c7": new each time.
std::string make_token(const std::string& sweep);

// All files but outcome.json, intent.json last. Throws Error(output).
void write_intent(const Submission& submission, const std::string& script);
void write_outcome(Submission& submission, const SubmissionOutcome& outcome);

struct UnreadableSubmission {
  std::string token;  // as its folder is called
  std::string line;   // names the file and what is wrong with it
};

struct Submissions {
  std::vector<Submission> known;                 // with an intent, oldest first
  std::vector<UnreadableSubmission> unreadable;  // each fails alone

  // Whether the submission of that token is there and cannot be read.
  bool is_unreadable(const std::string& token) const;
};

// A sweep that has no submissions/ has none. Throws bad_input when the folder cannot be listed.
Submissions read_submissions(const std::string& sweep_directory);

// The job id that a started file tells; nullopt: no member has started. Throws bad_input when the folder cannot be
// listed.
std::optional<int64_t> started_job(const Submission& submission);

}  // namespace wansweep
