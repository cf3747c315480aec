// What a worker's exit code means, and what the orchestrator does about it. The one place where both programs look.
//
// Codes from 10 up are the worker's own, so that they cannot be taken for a shell's, MPI's or Slurm's.
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
  Retry retry;  // what may help: nothing, a changed request, another node, or just another try
};

inline constexpr std::array<ExitCodeInfo, 14> exit_code_table{{
    {ExitCode::ok, "ok", "finished; completed.json is there", Retry::never},
    {ExitCode::internal, "internal", "a defect of wansweep itself; please report it with its line", Retry::never},
    {ExitCode::bad_input, "bad_input", "a setting, a path or a file cannot be used", Retry::never},
    {ExitCode::device_memory, "device_memory", "the device has too little memory for this run", Retry::with_change},
    {ExitCode::host_memory, "host_memory", "the host has too little memory for this run", Retry::with_change},
    {ExitCode::communicator, "communicator", "a rank could not exchange data with its peers", Retry::as_is},
    {ExitCode::output, "output", "the output could not be written (full, read-only)", Retry::as_is},
    {ExitCode::device_unavailable, "device_unavailable", "no usable device, or one that failed", Retry::elsewhere},
    {ExitCode::interrupted, "interrupted",
     "stopped by a signal at a step's end, or before the first; the trace is whole up to there", Retry::with_change},
    {ExitCode::store_busy, "store_busy", "another process holds the results database", Retry::as_is},
    {ExitCode::incomplete, "incomplete", "done as far as it goes: a run failed or a file is damaged, and is named",
     Retry::never},
    {ExitCode::not_finite, "not_finite",
     "latents became infinite or not a number; allow_nonfinite lets such a run go on", Retry::never},
    {ExitCode::stalled, "stalled", "no step ended for step_timeout: a rank stopped, or its device or node hangs",
     Retry::elsewhere},
    {ExitCode::scheduler_unavailable, "scheduler_unavailable",
     "Slurm did not answer, or said what cannot be read; nothing was submitted or given up on its silence",
     Retry::as_is},
}};

// The table's row for `code`; nullptr when the code is not wansweep's (a signal, MPI's own, a shell's 127).
constexpr const ExitCodeInfo* find_exit_code(int code) {
  for (const ExitCodeInfo& info : exit_code_table) {
    if (static_cast<int>(info.code) == code) return &info;
  }
  return nullptr;
}

}  // namespace wansweep
