// The content of one engine file about one rank, before it becomes trace rows. The readers in this folder make it, and
// rank_traces.h combines the files of one attempt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

enum class EngineFileKind : uint8_t {
  perf_dump,      // SGLang's --perf-dump-path
  step_record,    // tools/engines/step_record.py
  kineto_trace,   // of the PyTorch profiler, plain or gzip
  nsight_export,  // `nsys export --type sqlite`
  engine_log,     // what SGLang printed
};
constexpr std::string_view name_of(EngineFileKind kind) {
  switch (kind) {
    case EngineFileKind::perf_dump:
      return "perf dump";
    case EngineFileKind::step_record:
      return "step record";
    case EngineFileKind::kineto_trace:
      return "profiler trace";
    case EngineFileKind::nsight_export:
      return "Nsight Systems export";
    case EngineFileKind::engine_log:
      return "log";
  }
  return {};
}

// A step as a file marks it. Times are nanoseconds on the file's clock; a file without times has only durations.
struct StepMark {
  int step = 0;  // from 1
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  std::optional<int> expert;
  std::optional<double> timestep;
  std::optional<double> sigma;
  std::optional<int64_t> device_used;  // bytes at the step's end
  std::optional<int64_t> device_peak;
};

struct EngineTrace {
  std::string file;
  EngineFileKind kind = EngineFileKind::perf_dump;
  std::string sha256;
  int64_t bytes = 0;
  std::optional<int> rank;   // from the file, or from its name
  std::optional<int> ranks;  // number of ranks
  std::string host;          // empty: unknown
  bool has_times = false;    // whether steps have times, and not only durations
  std::vector<StepMark> steps;
  bool counts_profiler_steps = false;  // steps are ranges ProfilerStep#N; the last may cover what followed the loop
  std::vector<EventRow> events;        // the device's events; step, forward, block and expert are not set yet
  bool tells_events = false;           // the file records the device's work; false: it has none, or there was no device
  std::optional<int64_t> device_used, device_peak;  // bytes of the whole run, if the file does not give them by step
  std::string latents_digest;                       // SHA-256; empty: unknown
  std::map<std::string, std::string> environment;   // "device.name", "torch", ...
  std::map<std::string, std::string> settings;      // the engine's settings in the file, by our names
  std::map<std::string, int64_t> unknown_kernels;   // kernels that match no pattern: ns by name
  std::vector<std::string> notes;                   // harmless oddities, one line each
};

}  // namespace wansweep
