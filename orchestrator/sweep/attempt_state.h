// How an attempt ended, how a run stands whose attempt does not tell an end, and what launched it: the words that
// state.json, attempt.json, the database and `status` use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/enum_names.h"

namespace wansweep {

enum class AttemptEnd {
  completed,  // the launcher and the completion record agree
  failed,
  cancelled,  // stopped by a person, or by the death of the wansweep that launched it
  withdrawn,  // made for Slurm, which refused it or never had it: it did not run
  // Only for attempts in Slurm:
  timeout,
  out_of_memory,
  node_failure,
  boot_failure,
  preempted,
  lost,
};

constexpr std::string_view name_of(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::completed:
      return "completed";
    case AttemptEnd::failed:
      return "failed";
    case AttemptEnd::cancelled:
      return "cancelled";
    case AttemptEnd::withdrawn:
      return "withdrawn";
    case AttemptEnd::timeout:
      return "timeout";
    case AttemptEnd::out_of_memory:
      return "out_of_memory";
    case AttemptEnd::node_failure:
      return "node_failure";
    case AttemptEnd::boot_failure:
      return "boot_failure";
    case AttemptEnd::preempted:
      return "preempted";
    case AttemptEnd::lost:
      return "lost";
  }
  return {};
}

// How a run stands that has no attempt, or whose newest attempt has no recorded end or one that its records contradict.
enum class RunStanding {
  not_started,
  generated,  // `wansweep generate` wrote its script, and no job of it has been seen
  running,
  lost,
  running_or_lost,  // which of the two cannot be found out
  damaged,          // it ended as completed, but its completion record does not bear that out
  unreadable,
};

constexpr std::string_view name_of(RunStanding standing) {
  switch (standing) {
    case RunStanding::not_started:
      return "not started";
    case RunStanding::generated:
      return "generated";
    case RunStanding::running:
      return "running";
    case RunStanding::lost:
      return "lost";
    case RunStanding::running_or_lost:
      return "running or lost";
    case RunStanding::damaged:
      return "damaged";
    case RunStanding::unreadable:
      return "cannot be read";
  }
  return {};
}

enum class Launcher { local, slurm };

constexpr std::string_view name_of(Launcher launcher) {
  switch (launcher) {
    case Launcher::local:
      return "local";
    case Launcher::slurm:
      return "slurm";
  }
  return {};
}

// The content of state.json: an attempt's end as its launcher recorded it.
struct AttemptState {
  AttemptEnd end = AttemptEnd::failed;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string started_at;  // ISO 8601, UTC; empty: unknown
  std::string ended_at;
  std::string line;  // why, for people; of a completed attempt, that it was stopped afterwards
};

}  // namespace wansweep
