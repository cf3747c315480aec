#include "orchestrator/verbs/job_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/standard_output.h"
#include "orchestrator/cluster/poll.h"
#include "orchestrator/sweep/attempt_folder.h"

namespace wansweep {
namespace {

constexpr std::chrono::seconds between_looks{2};

// The state of an attempt's job as shown to the user: "RUNNING (...)"
std::string state_text(const SlurmPoll& poll, const Attempt& attempt) {
  if (attempt.state) return std::string(name_of(attempt.state->end));
  const auto live = poll.live.find(attempt.directory);
  if (live == poll.live.end()) return "unknown";
  std::string text(name_of(live->second.state));
  if (!live->second.line.empty()) text += fmt::format(" ({})", live->second.line);
  return text;
}

}  // namespace

std::map<std::string, Attempt> wait_for_jobs(const std::string& directory) {
  std::map<std::string, std::string> before;
  for (;;) {
    const SlurmPoll poll = poll_slurm(directory, true);
    const AttemptFolder attempts(directory);
    if (attempts.newest().empty()) throw Error(ExitCode::output, directory + ": has no attempt");
    const bool several = attempts.newest().size() > 1;
    for (const auto& [run, attempt] : attempts.newest()) {
      const std::string now = state_text(poll, attempt);
      if (before[run] == now || (attempt.state && !several)) continue;
      fmt::print("{} {}: {}\n", timestamp_now(), several ? printable(run) : "job", printable(now));
      before[run] = now;
    }
    flush_standard_output();
    const bool all_ended =
        std::ranges::all_of(attempts.newest(), [](const auto& each) { return each.second.state.has_value(); });
    if (all_ended) return attempts.newest();
    std::this_thread::sleep_for(between_looks);
  }
}

}  // namespace wansweep
