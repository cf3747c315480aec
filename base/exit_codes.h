// What each exit code means, and which kind of retry helps. Both programs, the retry policy and the database use this
// table.
//
// Codes from 10 up are wansweep's own: a shell, MPI and Slurm do not use them.
#pragma once

#include <array>
#include <string_view>

namespace wansweep {

enum class ExitCode : int {
  ok = 0,
  internal = 1,
  bad_input = 2,
  device_memory = 10,
  host_memory = 11,
  communicator = 12,
  output = 13,
  device_unavailable = 14,
  interrupted = 15,
  store_busy = 16,
  incomplete = 17,
  not_finite = 18,
  stalled = 19,
  scheduler_unavailable = 20,
};

enum class Retry { never, with_change, elsewhere, as_is };

struct ExitCodeInfo {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
  Retry retry;  // what may help: nothing, a larger request, another node, or the same run once more
};

inline constexpr std::array<ExitCodeInfo, 14> exit_code_table{{
    {ExitCode::ok, "ok", "finished; completed.json is written", Retry::never},
    {ExitCode::internal, "internal", "a defect in wansweep itself; please report it with the error line", Retry::never},
    {ExitCode::bad_input, "bad_input", "a setting, a path or a file cannot be used", Retry::never},
    {ExitCode::device_memory, "device_memory", "the device has too little memory for this run", Retry::with_change},
    {ExitCode::host_memory, "host_memory", "the host has too little memory for this run", Retry::with_change},
    {ExitCode::communicator, "communicator", "a rank could not exchange data with its peers", Retry::as_is},
    {ExitCode::output, "output", "the output could not be written (full, read-only)", Retry::as_is},
    {ExitCode::device_unavailable, "device_unavailable", "no usable device, or the device failed", Retry::elsewhere},
    {ExitCode::interrupted, "interrupted",
     "stopped by a signal after a step, or before the first; the trace is complete up to that point",
     Retry::with_change},
    {ExitCode::store_busy, "store_busy", "another process holds the results database", Retry::as_is},
    {ExitCode::incomplete, "incomplete", "partly done: the runs that failed, or the files that are damaged, are named",
     Retry::never},
    {ExitCode::not_finite, "not_finite",
     "latents became infinite or not a number; allow_nonfinite lets such a run go on", Retry::never},
    {ExitCode::stalled, "stalled", "no step ended within step_timeout: a rank stopped, or its device or node hangs",
     Retry::elsewhere},
    {ExitCode::scheduler_unavailable, "scheduler_unavailable",
     "Slurm did not answer, or its answer cannot be read; nothing was submitted, and no run was given up for it",
     Retry::as_is},
}};

// The table's row for `code`; nullptr when `code` is not in it (a signal, an exit code of MPI, a shell's 127).
constexpr const ExitCodeInfo* find_exit_code(int code) {
  for (const ExitCodeInfo& info : exit_code_table) {
    if (static_cast<int>(info.code) == code) return &info;
  }
  return nullptr;
}

}  // namespace wansweep
