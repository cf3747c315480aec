// How an attempt ended, and what launched it: the words that state.json, attempt.json and the database use.
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
