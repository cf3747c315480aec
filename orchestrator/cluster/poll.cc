#include "orchestrator/cluster/poll.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "orchestrator/cluster/job_end.h"
#include "orchestrator/cluster/poll_record.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

// Attempts of Slurm's that have no end yet, and the submissions that they are members of.
struct LiveAttempts {
  std::vector<Attempt> attempts;
  std::map<std::string, Submission> submissions;
  std::vector<std::string> tokens;    // of those that Slurm has, or may have
  std::vector<std::string> problems;  // records that cannot be read, a line each
};

LiveAttempts find_live(const std::string& sweep_directory) {
  LiveAttempts live;
  const AttemptFolder folder(sweep_directory);
  live.problems = folder.problems();
  for (const auto& [run, attempt] : folder.newest()) {
    if (attempt.launcher == Launcher::slurm && !attempt.state) live.attempts.push_back(attempt);
  }
  std::set<std::string> wanted;
  for (const Attempt& attempt : live.attempts) wanted.insert(attempt.submission);
  Submissions submissions = read_submissions(sweep_directory);
  for (const UnreadableSubmission& each : submissions.unreadable) live.problems.push_back(each.line);
  for (Submission& submission : submissions.known) {
    if (!wanted.contains(submission.token)) continue;
    live.tokens.push_back(submission.token);
    live.submissions.emplace(submission.token, std::move(submission));
  }
  return live;
}

bool is_absent_accounting(const std::string& problem) {
  return problem.find("storage is disabled") != std::string::npos;
}

struct Rows {
  JobRows queue;
  JobRows accounting;
  bool asked_all = false;
  std::vector<std::string> problems;

  std::optional<JobRow> find(const Attempt& attempt) const {
    const MemberKey key{attempt.submission, attempt.index};
    for (const JobRows* rows : {&queue, &accounting}) {
      const auto found = rows->rows.find(key);
      if (found != rows->rows.end()) return found->second;
    }
    return std::nullopt;
  }
};

// squeue knows what lives and what ended lately; sacct is asked only when some attempt is not among them.
Rows ask(SlurmClient& client, const LiveAttempts& live) {
  Rows rows;
  rows.queue = client.queue(live.tokens);
  if (!rows.queue.answered) {
    rows.problems.push_back(rows.queue.problem);
    return rows;
  }
  const bool all_known = std::all_of(live.attempts.begin(), live.attempts.end(), [&](const Attempt& attempt) {
    return rows.queue.rows.contains({attempt.submission, attempt.index});
  });
  if (all_known) {
    rows.asked_all = true;
    return rows;
  }
  int64_t since = seconds_now();
  for (const auto& [token, submission] : live.submissions) since = std::min(since, submission.created_at);
  rows.accounting = client.accounting(live.tokens, since - clock_slack);
  rows.asked_all = rows.accounting.answered || is_absent_accounting(rows.accounting.problem);
  if (!rows.accounting.answered) rows.problems.push_back(rows.accounting.problem);
  return rows;
}

// Where Slurm only watches memory (no cgroup), a job that it kills for that is FAILED, and only its output tells why.
bool was_killed_for_memory(const Attempt& attempt, const Submission& submission) {
  for (const std::string& file :
       {fmt::format("{}/slurm-{}.out", submission.directory, attempt.index), attempt.directory + "/stderr.log"}) {
    std::ifstream stream(file, std::ios::binary);
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with("slurmstepd") && line.find("xceeded ") != std::string::npos &&
          line.find("memory limit") != std::string::npos) {
        return true;
      }
    }
  }
  return false;
}

void settle(Attempt& attempt, const Verdict& verdict) {
  const JobRow& row = verdict.memory.row;
  AttemptState state;
  state.end = end_of(verdict.state);
  state.started_at = row.started_at;
  state.ended_at = row.ended_at.empty() ? timestamp_now() : row.ended_at;
  state.exit_code = row.exit_code;
  state.signal = row.signal;
  if (verdict.state == JobState::completed) {
    state.line = verdict.line;
    // The record says so, whatever became of the job behind it.
    state.exit_code = 0;
    state.signal.reset();
  } else {
    const std::string said = failure_line(attempt.directory);
    state.line = verdict.state == JobState::failed ? said : std::string(meaning_of(verdict.state));
    if (verdict.state != JobState::failed && !said.empty()) state.line += "; last said: " + said;
    if (state.line.empty()) state.line = verdict.line.empty() ? meaning_of(verdict.state) : verdict.line;
    if (!row.nodes.empty()) state.line += fmt::format(" (on {})", row.nodes);
  }
  write_state(attempt, state);
}

void add_last(SlurmLook& look, const Attempt& attempt) {
  LastVerdict last = read_last_verdict(attempt.directory);
  look.live[attempt.directory] = {last.state, false, last.looked_at == 0 ? "not looked at yet" : last.line,
                                  last.memory};
  if (last.looked_at != 0) look.age = std::max(look.age, seconds_now() - last.looked_at);
}

Evidence evidence_of(const Attempt& attempt, const Rows& rows, int64_t lost_seconds, int64_t now) {
  Evidence evidence;
  evidence.row = rows.find(attempt);
  evidence.asked_all = rows.asked_all;
  evidence.now = now;
  evidence.lost_seconds = lost_seconds;
  if (!evidence.row || is_terminal(evidence.row->state)) {
    evidence.record_whole = !completion_problem(attempt.directory);
    evidence.worker_failed = std::filesystem::exists(attempt.directory + "/failure.json");
  }
  return evidence;
}

bool too_early(const LiveAttempts& live, int64_t now) {
  int64_t newest = 0;
  for (const Attempt& attempt : live.attempts) {
    const int64_t looked_at = read_last_verdict(attempt.directory).looked_at;
    if (looked_at == 0) return false;
    newest = std::max(newest, looked_at);
  }
  int64_t interval = 0;
  for (const auto& [token, submission] : live.submissions) {
    interval = std::max(interval, submission.profile.poll_seconds);
  }
  return now - newest < interval;
}

int64_t command_timeout(const LiveAttempts& live) {
  int64_t timeout = 1;
  for (const auto& [token, submission] : live.submissions) {
    timeout = std::max(timeout, submission.profile.command_timeout);
  }
  return timeout;
}

}  // namespace

SlurmLook look_at_slurm(const std::string& sweep_directory, bool force) {
  LiveAttempts live = find_live(sweep_directory);
  const int64_t now = seconds_now();
  if (!force && too_early(live, now)) return last_look(sweep_directory);
  SlurmLook look;
  look.problems = live.problems;
  if (live.tokens.empty()) return look;
  SlurmClient client(command_timeout(live));
  const Rows rows = ask(client, live);
  look.calls = client.calls();
  look.problems.insert(look.problems.end(), rows.problems.begin(), rows.problems.end());
  for (Attempt& attempt : live.attempts) {
    const auto found = live.submissions.find(attempt.submission);
    if (!rows.queue.answered || found == live.submissions.end() || !found->second.outcome) {
      // Without an answer nothing is learned; of an unsettled submission, only where Slurm has it.
      if (!rows.queue.answered || found == live.submissions.end() || !rows.find(attempt)) {
        add_last(look, attempt);
        continue;
      }
    }
    const LastVerdict before = read_last_verdict(attempt.directory);
    Verdict verdict = judge(evidence_of(attempt, rows, found->second.profile.lost_seconds, now), before.memory);
    if (verdict.final && verdict.state == JobState::failed && was_killed_for_memory(attempt, found->second)) {
      verdict.state = JobState::out_of_memory;
    }
    write_verdict(attempt.directory, before, verdict, now);
    if (verdict.final) {
      settle(attempt, verdict);
    } else {
      look.live[attempt.directory] = std::move(verdict);
    }
  }
  return look;
}

SlurmLook last_look(const std::string& sweep_directory) {
  SlurmLook look;
  const LiveAttempts live = find_live(sweep_directory);
  look.problems = live.problems;
  for (const Attempt& attempt : live.attempts) add_last(look, attempt);
  return look;
}

std::vector<std::string> cancel_live(const std::string& sweep_directory, const std::string& run) {
  const LiveAttempts live = find_live(sweep_directory);
  std::map<int64_t, std::vector<int>> members;
  for (const Attempt& attempt : live.attempts) {
    const auto found = live.submissions.find(attempt.submission);
    if (found == live.submissions.end() || !found->second.outcome || found->second.outcome->job_id == 0) continue;
    if (!run.empty() && attempt.run != run) continue;
    members[found->second.outcome->job_id].push_back(attempt.index);
  }
  std::vector<std::string> jobs;
  for (const auto& [job, indices] : members) {
    if (run.empty()) {
      jobs.push_back(std::to_string(job));  // the array whole: one word, not a thousand
    } else {
      for (const int index : indices) jobs.push_back(fmt::format("{}_{}", job, index));
    }
  }
  if (jobs.empty()) return jobs;
  const std::string problem = SlurmClient(command_timeout(live)).cancel(jobs);
  if (!problem.empty()) throw Error(ExitCode::store_busy, problem);
  return jobs;
}

}  // namespace wansweep
