// Submissions that a wansweep began and did not see through.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "orchestrator/cluster/poll.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

constexpr std::chrono::seconds between_looks{1};

// The job that carries the submission's name; 0: Slurm answered, and has none. Throws when it did not answer.
int64_t find_job(SlurmClient& client, const Submission& submission) {
  const auto first_of = [](const JobRows& rows) {
    int64_t first = 0;
    for (const auto& [key, row] : rows.rows) first = first == 0 ? row.array_job : std::min(first, row.array_job);
    return first;
  };
  if (const auto job = started_job(submission)) return *job;
  const JobRows queue = client.queue({submission.token});
  if (!queue.answered) {
    throw Error(ExitCode::store_busy,
                fmt::format("{}: whether Slurm has it cannot be learned, and nothing is sent again: "
                            "{}; try again later",
                            submission.directory, queue.problem));
  }
  if (const int64_t job = first_of(queue)) return job;
  // Without accounting the queue's word stands alone: what it forgot has run, and what ran has left a started file.
  return first_of(client.accounting({submission.token}, submission.created_at - clock_slack));
}

// Takes the attempt's claim, so that no job can. False: a job has it. A job says that it started before it claims, so
// without that a claim is of a wansweep that died here.
bool take_claim(const Attempt& attempt, bool job_started) {
  return mkdir((attempt.directory + "/claim").c_str(), 0755) == 0 || errno != EEXIST || !job_started;
}

void withdraw(Attempt& attempt, bool job_started, const std::string& why) {
  if (attempt.state || !take_claim(attempt, job_started)) return;
  AttemptState state;
  state.end = AttemptEnd::withdrawn;
  state.ended_at = timestamp_now();
  state.line = why;
  write_state(attempt, state);
}

std::string settle(Submission& submission, const std::vector<Attempt*>& members) {
  SlurmClient client(submission.profile.command_timeout);
  const int64_t patience = submission.by_hand ? 0 : submission.profile.lost_seconds;
  for (;;) {
    const int64_t now = seconds_now();
    if (const int64_t job = find_job(client, submission)) {
      write_outcome(submission, {"submitted", job, "found by its name after a crash"});
      return fmt::format("{}: Slurm has it as job {}", submission.token, job);
    }
    // A clock that was set back must not make this endless.
    if (now - submission.created_at >= patience || now < submission.created_at) break;
    std::this_thread::sleep_for(between_looks);
  }
  const std::string why = submission.by_hand ? "generated, and not submitted" : "Slurm never had it";
  for (Attempt* attempt : members) withdraw(*attempt, started_job(submission).has_value(), why);
  if (const auto job = started_job(submission)) {  // it came in between, and some member was quicker than the claim
    write_outcome(submission, {"submitted", *job, "appeared while it was given up"});
    return fmt::format("{}: Slurm has it as job {}", submission.token, *job);
  }
  write_outcome(submission, {"withdrawn", 0, why});
  return fmt::format("{}: {} ({} runs to submit again)", submission.token, why, members.size());
}

}  // namespace

std::vector<std::string> settle_submissions(const std::string& sweep_directory) {
  std::map<std::string, Attempt> newest = AttemptFolder(sweep_directory).newest();
  std::map<std::string, std::vector<Attempt*>> members;
  for (auto& [run, attempt] : newest) {
    if (attempt.launcher == Launcher::slurm && !attempt.state) members[attempt.submission].push_back(&attempt);
  }
  std::vector<std::string> lines;
  std::set<std::string> intended;
  Submissions submissions = read_submissions(sweep_directory);
  for (const UnreadableSubmission& each : submissions.unreadable) {
    intended.insert(each.token);  // Slurm may have it: its members stay as they are
    lines.push_back(fmt::format("{}; its runs are left alone until it can be read", each.line));
  }
  for (Submission& submission : submissions.known) {
    intended.insert(submission.token);
    std::vector<Attempt*>& own = members[submission.token];
    if (!submission.outcome) {
      lines.push_back(settle(submission, own));
    } else if (submission.outcome->state != "submitted") {
      for (Attempt* attempt : own) withdraw(*attempt, started_job(submission).has_value(), submission.outcome->line);
    }
  }
  // Attempts whose submission has no intent: sbatch cannot have run.
  for (auto& [token, own] : members) {
    if (intended.contains(token)) continue;
    for (Attempt* attempt : own) withdraw(*attempt, false, "wansweep died before it was submitted");
  }
  return lines;
}

}  // namespace wansweep
