// Each attempt is judged and recorded by itself: files that cannot be read or written cost a line and hide no other
// attempt. An attempt of a submission whose outcome is unknown is judged only if Slurm has its job, so that a job that
// appears late is not taken for a lost one (settle.h decides that).

#include "orchestrator/cluster/poll.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "orchestrator/cluster/ask_slurm.h"
#include "orchestrator/cluster/by_hand.h"
#include "orchestrator/cluster/job_end.h"
#include "orchestrator/cluster/job_output.h"
#include "orchestrator/cluster/live_attempts.h"
#include "orchestrator/cluster/poll_record.h"
#include "orchestrator/sweep/launcher_exit.h"

namespace wansweep {
namespace {

// A larger difference between Slurm's clock and ours, in seconds, is reported.
constexpr int64_t clock_tolerance = 10;

std::string line_of_end(const Attempt& attempt, const Submission& submission, const Verdict& verdict) {
  if (verdict.state == JobState::completed) return verdict.line;
  const std::string said = last_words(attempt, submission);
  const std::string meaning(meaning_of(verdict.state));
  std::string line;
  if (verdict.state != JobState::failed) {
    line = said.empty() ? meaning : fmt::format("{}; last output: {}", meaning, said);
  } else {
    line = !said.empty() ? said : !verdict.line.empty() ? verdict.line : meaning;
  }
  if (!verdict.memory.requeued_after.empty()) line += fmt::format("; requeued after {}", verdict.memory.requeued_after);
  if (!verdict.memory.row.nodes.empty()) line += fmt::format(" (on {})", verdict.memory.row.nodes);
  return line;
}

void write_end(Attempt& attempt, const Submission& submission, const Verdict& verdict) {
  const JobRow& row = verdict.memory.row;
  AttemptState state;
  state.end = end_of(verdict.state);
  state.started_at = row.started_at;
  state.ended_at = row.ended_at.empty() ? timestamp_now() : row.ended_at;
  state.line = line_of_end(attempt, submission, verdict);
  switch (verdict.state) {
    case JobState::completed:
      state.exit_code = 0;  // the worker's record says so, also when the job was ended afterwards
      break;
    case JobState::failed:
      if (row.signal) {
        state.signal = row.signal;
      } else if (row.exit_code) {
        const LauncherExit exit = read_launcher_exit(attempt.directory, *row.exit_code);
        state.exit_code = exit.exit_code;
        state.signal = exit.signal;
      }
      break;
    case JobState::cancelled:
    case JobState::timeout:
    case JobState::out_of_memory:
    case JobState::node_failure:
    case JobState::boot_failure:
    case JobState::preempted:
    case JobState::lost:
      // Slurm ended the job: the exit code that it reports, often 0, is not the worker's.
      state.signal = row.signal;
      break;
    case JobState::queued:
    case JobState::running:
    case JobState::unknown:
      break;
  }
  write_state(attempt, state);
}

void add_last(SlurmPoll& poll, const Attempt& attempt) {
  LastVerdict last = read_last_verdict(attempt.directory);
  poll.live[attempt.directory] = {last.state, false,
                                  last.polled_at == 0 ? "Slurm was not asked about it yet" : last.line, last.memory};
  if (last.polled_at != 0) poll.age = std::max(poll.age, seconds_now() - last.polled_at);
}

Evidence evidence_of(const Attempt& attempt, const SlurmWord& word, int64_t lost_seconds, int64_t now) {
  Evidence evidence;
  evidence.row = word.find({attempt.submission, attempt.index});
  evidence.slurm_knows_all = word.knows_all;
  evidence.now = now;
  evidence.lost_seconds = lost_seconds;
  if (!evidence.row || is_terminal(evidence.row->state)) {
    evidence.record = read_record(attempt.directory);
    std::error_code ignored;
    evidence.worker_failed = std::filesystem::exists(attempt.directory + "/failure.json", ignored);
  }
  return evidence;
}

// Judges one attempt and records the verdict.
void poll_attempt(SlurmPoll& poll, Attempt& attempt, const Submission& submission, const SlurmWord& word, int64_t now) {
  const bool found = word.find({attempt.submission, attempt.index}).has_value();
  if (!found && is_only_generated(submission)) {
    if (!record_run_by_hand(attempt)) poll.generated.insert(attempt.directory);
    return;
  }
  if (!word.queue.answered || (!submission.outcome && !found)) {
    add_last(poll, attempt);
    return;
  }
  const LastVerdict before = read_last_verdict(attempt.directory);
  Verdict verdict = judge(evidence_of(attempt, word, submission.profile.lost_seconds, now), before.memory);
  if (verdict.final && verdict.state == JobState::failed && was_killed_for_memory(attempt, submission)) {
    verdict.state = JobState::out_of_memory;
  }
  write_verdict(attempt.directory, before, verdict, now);
  if (verdict.final) {
    write_end(attempt, submission, verdict);
  } else {
    poll.live[attempt.directory] = std::move(verdict);
  }
}

bool too_early(const LiveAttempts& live, int64_t now) {
  int64_t newest = 0;
  for (const Attempt& attempt : live.attempts) {
    const int64_t polled_at = read_last_verdict(attempt.directory).polled_at;
    if (polled_at == 0) return false;
    newest = std::max(newest, polled_at);
  }
  int64_t interval = 0;
  for (const auto& [token, submission] : live.submissions) {
    interval = std::max(interval, submission.profile.poll_seconds);
  }
  return now >= newest && now - newest < interval;
}

// "2026-11-26T13:00:00Z" as seconds of the epoch; 0 when the text is not a time.
int64_t seconds_of(const std::string& time) {
  std::tm utc{};
  return strptime(time.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc) != nullptr ? timegm(&utc) : 0;
}

// The least difference between the clocks, in seconds, that explains a job whose start lies before its submission or in
// the future.
int64_t clock_difference(const JobRow& row, const Submission& submission, int64_t now) {
  const int64_t started = is_terminal(row.state) || row.state == JobState::running ? seconds_of(row.started_at) : 0;
  if (started == 0) return 0;
  return std::max<int64_t>({0, submission.created_at - started, started - now});
}

void add_clock_problem(SlurmPoll& poll, const LiveAttempts& live, const SlurmWords& words, int64_t now) {
  int64_t difference = 0;
  for (const Attempt& attempt : live.attempts) {
    const Submission* submission = live.submission_of(attempt);
    if (submission == nullptr) continue;
    const SlurmWord& word = words.by_cluster.at(submission->profile.cluster);
    if (const auto row = word.find({attempt.submission, attempt.index})) {
      difference = std::max(difference, clock_difference(*row, *submission, now));
    }
  }
  if (difference <= clock_tolerance) return;
  poll.problems.push_back(
      fmt::format("the clocks of this host and of Slurm's host differ by at least {} s; states are right, but times "
                  "from the two hosts cannot be compared",
                  difference));
}

}  // namespace

SlurmPoll poll_slurm(const std::string& sweep_directory, bool force) {
  LiveAttempts live = find_live_attempts(sweep_directory);
  const int64_t now = seconds_now();
  if (!force && too_early(live, now)) return last_poll(sweep_directory);
  SlurmPoll poll;
  poll.problems = live.problems;
  const SlurmWords words = ask_about(live);
  poll.calls = words.calls;
  for (const auto& [cluster, word] : words.by_cluster) {
    poll.complete &= word.queue.complete() && word.accounting.unread.empty();
    poll.problems.insert(poll.problems.end(), word.problems.begin(), word.problems.end());
  }
  add_clock_problem(poll, live, words, now);
  for (Attempt& attempt : live.attempts) {
    const Submission* submission = live.submission_of(attempt);
    if (submission == nullptr) {
      add_last(poll, attempt);
      continue;
    }
    try {
      poll_attempt(poll, attempt, *submission, words.by_cluster.at(submission->profile.cluster), now);
    } catch (const Error& error) {
      poll.problems.emplace_back(error.what());
      add_last(poll, attempt);
    }
  }
  return poll;
}

SlurmPoll last_poll(const std::string& sweep_directory) {
  SlurmPoll poll;
  const LiveAttempts live = find_live_attempts(sweep_directory);
  poll.problems = live.problems;
  for (const Attempt& attempt : live.attempts) {
    const Submission* submission = live.submission_of(attempt);
    if (submission != nullptr && is_only_generated(*submission)) {
      poll.generated.insert(attempt.directory);
    } else {
      add_last(poll, attempt);
    }
  }
  return poll;
}

}  // namespace wansweep
