// Only the holder of an attempt's claim may withdraw the attempt. The claim is the name `claim` in the attempt's
// folder: a job takes it by making a folder of that name before it runs anything; a wansweep that withdraws takes it
// with a file, which appears whole or not at all, so that the owner of a claim is always known. A folder means a job,
// and so do job.json and a started file of the array: such attempts are never withdrawn, regardless of Slurm's answer.
//
// Versions up to 0.1 made a folder in both cases and put a mark into it afterwards; when such a wansweep was killed in
// between, it left an empty folder. A job makes its started file before its claim. So an empty folder that stays empty
// for `settling_seconds` without any started file does not belong to a job, and gets the mark late. It keeps the name,
// so that no job can take it.

#include "orchestrator/cluster/settle.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "orchestrator/cluster/ask_slurm.h"
#include "orchestrator/cluster/by_hand.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

constexpr std::chrono::seconds between_questions{1};

// Whether something of that name exists or may exist: only "no such file" means that it does not.
bool may_be_there(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

constexpr const char* claim_of_wansweep = "given up by a wansweep\n";
// Longer than a network file system takes to show a file of one host on another.
constexpr int64_t settling_seconds = 600;

// Whether an earlier version of wansweep left the folder `claim` (see the top of this file). Times are compared on the
// file system's clock: the attempt's folder was changed just now, when the file could not take the name.
bool was_left_empty(const std::string& claim, const std::string& attempt) {
  std::error_code failed;
  if (!std::filesystem::is_empty(claim, failed) || failed) return false;
  struct stat made {};
  struct stat now {};
  return lstat(claim.c_str(), &made) == 0 && lstat(attempt.c_str(), &now) == 0 &&
         now.st_mtim.tv_sec - made.st_mtim.tv_sec >= settling_seconds;
}

// Takes the claim. nullopt: the claim is ours, and no job can run the attempt any more; otherwise the reason. The
// caller has looked for started files.
std::optional<std::string> take_claim(const Attempt& attempt) {
  const std::string claim = attempt.directory + "/claim";
  const std::string mark = claim + "/withdrawn";
  if (may_be_there(attempt.directory + "/job.json")) return "a job has started it";
  if (write_file_once(claim, claim_of_wansweep)) return std::nullopt;
  struct stat status {};
  if (lstat(claim.c_str(), &status) != 0) return fmt::format("{}: cannot be read: {}", claim, error_text(errno));
  // The claim is ours already: a wansweep died before it wrote the state.
  if (S_ISREG(status.st_mode) && read_text(claim) == claim_of_wansweep) return std::nullopt;
  if (S_ISDIR(status.st_mode)) {
    if (read_text_if_there(mark)) return std::nullopt;
    if (was_left_empty(claim, attempt.directory)) {
      write_file_once(mark, claim_of_wansweep);
      return std::nullopt;
    }
  }
  return fmt::format("{} exists, and a job may have made it; remove it if no job of this attempt runs", claim);
}

// Withdraws an attempt. Returns a line when the attempt must be left alone.
std::optional<std::string> withdraw(Attempt& attempt, const std::string& why) {
  try {
    if (const auto reason = take_claim(attempt)) {
      return fmt::format("{}: not withdrawn: {}", attempt.directory, *reason);
    }
    if (record_run_by_hand(attempt)) {
      return fmt::format("{}: not withdrawn: it was run by hand, and has completed", attempt.directory);
    }
    AttemptState state;
    state.end = AttemptEnd::withdrawn;
    state.ended_at = timestamp_now();
    state.line = why;
    write_state(attempt, state);
    return std::nullopt;
  } catch (const Error& error) {
    return fmt::format("{}: not withdrawn: {}", attempt.directory, error.what());
  }
}

// Withdraws all members. Returns a line for each that is left alone.
std::vector<std::string> withdraw_all(const std::vector<Attempt*>& attempts, const std::string& why) {
  std::vector<std::string> lines;
  for (Attempt* attempt : attempts) {
    if (const auto line = withdraw(*attempt, why)) lines.push_back(*line);
  }
  return lines;
}

// The id of the job that has the submission's name; 0: Slurm answered that there is none. Throws when that cannot be
// found out.
int64_t find_job(SlurmClient& client, const Submission& submission) {
  if (const auto job = started_job(submission)) return *job;
  std::vector<MemberKey> members;
  for (size_t i = 0; i < submission.members.size(); ++i) members.emplace_back(submission.token, static_cast<int>(i));
  const SlurmWord word = ask_slurm(client, members, submission.created_at);
  if (const int64_t job = word.first_job()) return job;
  // Without accounting only the queue can be asked. A job that it forgot has run, and has left a started file.
  if (word.queue.complete() && word.accounting.unread.empty()) return 0;
  // Nobody submitted a generated script from a host without Slurm. If somebody did from another host, the withdrawn
  // members' claims keep its job from running them.
  if (submission.by_hand && word.no_slurm) return 0;
  if (submission.by_hand) {
    throw Error(
        ExitCode::scheduler_unavailable,
        fmt::format("{}: cannot find out whether somebody submitted this script: {}; try again later, or remove "
                    "the folder if nobody did",
                    submission.directory, word.problems.at(0)));
  }
  throw Error(
      ExitCode::scheduler_unavailable,
      fmt::format(
          "{}: cannot find out whether Slurm has this submission, so nothing is submitted again: {}; try again later",
          submission.directory, word.problems.at(0)));
}

std::string adopt(Submission& submission, int64_t job, const std::string& how) {
  write_outcome(submission, {SubmissionState::submitted, job, how});
  return fmt::format("{}: Slurm has this submission as job {}", submission.token, job);
}

// Settles a submission without an outcome.
std::vector<std::string> settle(Submission& submission, const std::vector<Attempt*>& members) {
  SlurmClient client(submission.profile);
  const int64_t patience = submission.by_hand ? 0 : submission.profile.lost_seconds;
  // The waiting time counts from the submission's creation if its clock is plausible, and otherwise from now.
  const auto begun = std::chrono::steady_clock::now();
  for (;;) {
    const int64_t now = seconds_now();
    if (const int64_t job = find_job(client, submission)) {
      return {adopt(submission, job, "found by its name after a crash")};
    }
    const bool old_enough = now >= submission.created_at && now - submission.created_at >= patience;
    if (old_enough || std::chrono::steady_clock::now() - begun >= std::chrono::seconds(patience)) break;
    std::this_thread::sleep_for(between_questions);
  }
  const std::string why = submission.by_hand ? "generated, but not submitted" : "Slurm never had this submission";
  std::vector<std::string> lines = withdraw_all(members, why);
  if (const auto job = started_job(submission)) {  // the job appeared meanwhile, and a member was faster than the claim
    lines.push_back(adopt(submission, *job, "appeared while the submission was given up"));
    return lines;
  }
  write_outcome(submission, {SubmissionState::withdrawn, 0, why});
  lines.push_back(
      fmt::format("{}: {} ({} runs to submit again)", submission.token, why, members.size() - lines.size()));
  return lines;
}

// Settles a submission that was refused or withdrawn by a wansweep that may have died before it wrote its members'
// states.
std::vector<std::string> settle_given_up(Submission& submission, const std::vector<Attempt*>& members) {
  if (const auto job = started_job(submission))
    return {adopt(submission, *job, "appeared after the submission was given up")};
  return withdraw_all(members, submission.outcome->line);
}

// Settles attempts whose submission has no intent.json: sbatch cannot have run, unless somebody removed the file.
std::vector<std::string> settle_without_intent(const std::string& directory, const std::vector<Attempt*>& members) {
  Submission submission;
  submission.directory = directory;
  if (started_job(submission)) {
    return {
        fmt::format("{}: a job of this submission has started, but its intent.json is missing; its runs are left alone",
                    directory)};
  }
  return withdraw_all(members, "wansweep died before the submission");
}

using Members = std::map<std::string, std::vector<Attempt*>>;  // Slurm's attempts without an end, by submission

Members members_without_end(std::map<std::string, Attempt>& newest, const AttemptFolder& folder) {
  Members members;
  for (auto& [run, attempt] : newest) {
    const bool open = attempt.launcher == Launcher::slurm && !attempt.state;
    if (open && folder.block_of(run) == nullptr) members[attempt.submission].push_back(&attempt);
  }
  return members;
}

}  // namespace

std::vector<std::string> settle_submissions(const std::string& sweep_directory) {
  const AttemptFolder folder(sweep_directory);
  std::map<std::string, Attempt> newest = folder.newest();
  Members members = members_without_end(newest, folder);
  std::vector<std::string> lines = folder.problems();
  const auto add = [&lines](const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  std::set<std::string> intended;
  Submissions submissions = read_submissions(sweep_directory);
  for (const UnreadableSubmission& each : submissions.unreadable) {
    intended.insert(each.token);  // Slurm may have the submission: its members stay as they are
    lines.push_back(fmt::format("{}; its runs are left alone until it can be read", each.line));
  }
  for (Submission& submission : submissions.known) {
    intended.insert(submission.token);
    const std::vector<Attempt*>& own = members[submission.token];
    if (!submission.outcome) {
      add(settle(submission, own));
    } else if (submission.outcome->state != SubmissionState::submitted && !own.empty()) {
      add(settle_given_up(submission, own));
    }
  }
  for (const auto& [token, own] : members) {
    if (!intended.contains(token))
      add(settle_without_intent(fmt::format("{}/submissions/{}", sweep_directory, token), own));
  }
  return lines;
}

void withdraw_members(const Submission& submission, const std::string& sweep_directory, const std::string& why) {
  const AttemptFolder folder(sweep_directory);
  std::map<std::string, Attempt> newest = folder.newest();
  withdraw_all(members_without_end(newest, folder)[submission.token], why);
}

}  // namespace wansweep
