#include "orchestrator/cluster/ask_slurm.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/printable.h"
#include "base/process.h"

namespace wansweep {
namespace {

// sacct lists jobs from a given time on, by its host's clock. The clocks of a cluster differ by less than a day.
constexpr int64_t accounting_slack = 24 * 60 * 60;

bool is_absent_accounting(const std::string& problem) {
  return problem.find("storage is disabled") != std::string::npos;
}

void add_unread(std::vector<std::string>& problems, const char* program, const JobRows& rows) {
  constexpr size_t most_shown = 200;
  if (rows.unread.empty()) return;
  const std::string shown = printable(rows.unread[0].substr(0, most_shown));
  const std::string more = rows.unread.size() > 1 ? fmt::format(" and {} more lines", rows.unread.size() - 1) : "";
  problems.push_back(fmt::format("{}: cannot read \"{}\"{}", program, shown, more));
}

std::vector<std::string> tokens_of(const std::vector<MemberKey>& members) {
  std::set<std::string> tokens;
  for (const auto& [token, index] : members) tokens.insert(token);
  return {tokens.begin(), tokens.end()};
}

}  // namespace

std::optional<JobRow> SlurmWord::find(const MemberKey& member) const {
  for (const JobRows* rows : {&queue, &accounting}) {
    const auto own = rows->members.find(member);
    if (own != rows->members.end()) return own->second;
  }
  const std::optional<JobRow> array = queue.find(member);
  return array ? array : accounting.find(member);
}

int64_t SlurmWord::first_job() const {
  const int64_t queued = queue.first_job();
  return queued != 0 ? queued : accounting.first_job();
}

SlurmWord ask_slurm(SlurmClient& client, const std::vector<MemberKey>& members, int64_t since) {
  const std::vector<std::string> tokens = tokens_of(members);
  SlurmWord word;
  if (find_program("squeue").empty()) {
    word.no_slurm = true;
    word.problems.emplace_back("there is no squeue in PATH, so Slurm cannot be asked");
    return word;
  }
  word.queue = client.queue(tokens);
  if (!word.queue.answered) {
    word.no_slurm = word.queue.problem.find("Could not establish a configuration source") != std::string::npos;
    word.problems.push_back(word.queue.problem);
    return word;
  }
  add_unread(word.problems, "squeue", word.queue);
  const bool all_found = std::all_of(members.begin(), members.end(),
                                     [&](const MemberKey& member) { return word.queue.members.contains(member); });
  if (all_found) {
    word.knows_all = word.queue.complete();
    return word;
  }
  word.accounting = client.accounting(tokens, since - accounting_slack);
  const bool no_accounting = is_absent_accounting(word.accounting.problem);
  if (!word.accounting.answered) word.problems.push_back(word.accounting.problem);
  add_unread(word.problems, "sacct", word.accounting);
  // Without accounting at the site, squeue's answer alone counts.
  word.knows_all = word.queue.complete() && (word.accounting.complete() || no_accounting);
  return word;
}

SlurmWords ask_about(const LiveAttempts& live) {
  struct Question {
    std::vector<MemberKey> members;
    int64_t since = seconds_now();
    int64_t timeout = 1;
  };
  std::map<std::string, Question> questions;
  for (const Attempt& attempt : live.attempts) {
    const Submission* submission = live.submission_of(attempt);
    if (submission == nullptr) continue;
    Question& question = questions[submission->profile.cluster];
    question.members.emplace_back(attempt.submission, attempt.index);
    question.since = std::min(question.since, submission->created_at);
    question.timeout = std::max(question.timeout, submission->profile.command_timeout);
  }
  SlurmWords words;
  for (const auto& [cluster, question] : questions) {
    SlurmClient client(question.timeout, cluster);
    words.by_cluster[cluster] = ask_slurm(client, question.members, question.since);
    words.calls += client.calls();
  }
  return words;
}

}  // namespace wansweep
