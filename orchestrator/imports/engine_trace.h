// What one file of an engine tells of one rank, before it becomes rows: the readers of this folder make these, and
// rank_traces.h puts those of one attempt together.
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

// A step as a file marks it. Nanoseconds on the file's clock; a file without times gives durations alone.
struct StepMark {
  int step = 0;  // from 1
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  std::optional<int> expert;
  std::optional<double> timestep;
  std::optional<double> sigma;
  std::optional<int64_t> device_used;  // bytes at its end
  std::optional<int64_t> device_peak;
};

struct EngineTrace {
  std::string file;
  EngineFileKind kind = EngineFileKind::perf_dump;
  std::string sha256;
  int64_t bytes = 0;
  std::optional<int> rank;   // as the file says, or its name
  std::optional<int> ranks;  // of how many
  std::string host;          // empty: it does not say
  bool has_times = false;    // of steps: else only how long each took
  std::vector<StepMark> steps;
  std::vector<EventRow> events;  // of the device, as they are in the file; step, forward, block and expert open
  bool tells_events = false;     // also when there is none
  std::optional<int64_t> device_used, device_peak;  // bytes, of the whole run, where it does not say them by step
  std::string latents_digest;                       // SHA-256; empty: it does not say
  std::map<std::string, std::string> environment;   // "device.name", "torch", ...
  std::map<std::string, std::string> settings;      // what the engine says that it used, by our names
  std::map<std::string, int64_t> unknown_kernels;   // ns by name, of those that no pattern knows
  std::vector<std::string> notes;                   // what is odd and does no harm, a line each
};

}  // namespace wansweep
