#include "orchestrator/cluster/live_attempts.h"

#include <set>

#include "orchestrator/sweep/attempt_folder.h"

namespace wansweep {

const Submission* LiveAttempts::submission_of(const Attempt& attempt) const {
  const auto found = submissions.find(attempt.submission);
  return found != submissions.end() ? &found->second : nullptr;
}

LiveAttempts find_live_attempts(const std::string& sweep_directory) {
  LiveAttempts live;
  const AttemptFolder folder(sweep_directory);
  live.problems = folder.problems();
  std::set<std::string> wanted;
  for (const auto& [run, attempt] : folder.newest()) {
    if (attempt.launcher != Launcher::slurm || attempt.state) continue;
    live.attempts.push_back(attempt);
    wanted.insert(attempt.submission);
  }
  Submissions submissions = read_submissions(sweep_directory);
  for (const UnreadableSubmission& each : submissions.unreadable) live.problems.push_back(each.line);
  for (Submission& submission : submissions.known) {
    if (wanted.contains(submission.token)) live.submissions.emplace(submission.token, std::move(submission));
  }
  return live;
}

}  // namespace wansweep
