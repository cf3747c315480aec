// The per-rank trace: one HDF5 file, rank-NNNN.h5, written in SWMR mode with a flush a step.
//
// A reader sees every flushed step, whatever happened to the writer. All times are nanoseconds of the rank's monotonic
// clock; add the rank's clock offset to get rank 0's. Layout of format 1:
//   /spec         fixed string: the run spec as JSON, with origins
//   /environment  fixed string: JSON of host, devices, link, topology, versions, git revision, Slurm ids
//   /steps /events /memory /clock   extensible tables of the rows below
//   /digest       extensible table of one fixed string (64): SHA-256 of the final latents, a row when the run finished
// In the file each row also holds `row`, its number from 1 (0: never written), and a step's row the numbers of event
// and memory rows that were there before it. The attribute `format` of the root group is 1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wansweep {

inline constexpr int trace_format = 1;

enum class EventKind : uint8_t { compute, attention, all_to_all, ring, h2d, d2h, stall, switch_experts };
enum class StallCause : uint8_t { none, weights, peers, host };
enum class StreamId : uint8_t { compute, copy, comm };

// "compute", "attention", "all_to_all", "ring", "h2d", "d2h", "stall", "switch"; "none", "weights", ...; "compute", ...
const char* to_string(EventKind kind);
const char* to_string(StallCause cause);
const char* to_string(StreamId stream);

struct StepRow {
  int32_t step = 0;      // from 1
  int32_t expert = 0;    // 1: transformer (high noise), 2: transformer_2 (low noise)
  int32_t timestep = 0;  // int(sigma * 1000)
  float sigma = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

struct EventRow {
  int32_t step = 0;      // from 1; 0: before the first step
  int16_t forward = -1;  // 0: cond, 1: uncond, -1: not part of a forward
  int16_t block = -1;    // -1: not part of a block
  EventKind kind = EventKind::compute;
  StallCause cause = StallCause::none;  // stalls only
  StreamId stream = StreamId::compute;
  uint8_t expert = 0;  // whose weights or work: 1, 2; 0: neither
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t bytes = 0;  // moved; 0 for compute and stalls
};

struct MemoryRow {
  int32_t step = 0;
  int64_t time_ns = 0;
  int64_t device_used = 0;  // bytes
  int64_t device_peak = 0;
  int64_t host_used = 0;  // of the host store
  int64_t host_peak = 0;
};

struct ClockRow {
  int32_t at_end = 0;         // 0: measured before the first step, 1: after the last
  int64_t time_ns = 0;        // this rank's clock, at the measurement
  int64_t offset_ns = 0;      // rank 0's clock minus this rank's
  int64_t round_trip_ns = 0;  // of the fastest exchange: the offset is no surer than half of it
};

struct TraceRows {
  std::vector<StepRow> steps;
  std::vector<EventRow> events;
  std::vector<MemoryRow> memory;
  std::vector<ClockRow> clock;
};

class TraceWriter {
 public:
  // Creates FILE; an existing one is an error (attempts never overwrite). Throws Error(output).
  TraceWriter(const std::string& file, const std::string& spec_json, const std::string& environment_json);
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  // Appends rows and flushes them: after it returns, a SIGKILL loses none of them. Throws Error(output).
  void append(const TraceRows& rows);
  void set_digest(const std::string& sha256_hex);
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct TraceFile {
  std::string spec_json;
  std::string environment_json;
  std::string digest;  // empty: the run did not finish
  TraceRows rows;
};

// Reads all that was flushed, also while a writer is at work or after it was killed. Throws bad_input naming the file
// when it is not a trace ("is not a wansweep trace: no /spec"), of a newer format, or its rows contradict each other.
TraceFile read_trace(const std::string& file);

// "rank-0007.h5"
std::string trace_file_name(int rank);

}  // namespace wansweep
