// What a trace holds, row by row. All times are nanoseconds of the rank's monotonic clock; add the rank's clock offset
// to get rank 0's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wansweep {

// The values are in files and databases: new ones go to the end.
enum class EventKind : uint8_t { compute, attention, all_to_all, ring, h2d, d2h, stall, switch_experts, weight_parts };
enum class StallCause : uint8_t { none, weights, peers, host };
enum class StreamId : uint8_t { compute, copy, comm, peers };  // peers: exchanges parts of weights

constexpr std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::compute:
      return "compute";
    case EventKind::attention:
      return "attention";
    case EventKind::all_to_all:
      return "all_to_all";
    case EventKind::ring:
      return "ring";
    case EventKind::h2d:
      return "h2d";
    case EventKind::d2h:
      return "d2h";
    case EventKind::stall:
      return "stall";
    case EventKind::switch_experts:
      return "switch";
    case EventKind::weight_parts:
      return "weight_parts";
  }
  return {};
}

constexpr std::string_view name_of(StallCause cause) {
  switch (cause) {
    case StallCause::none:
      return "none";
    case StallCause::weights:
      return "weights";
    case StallCause::peers:
      return "peers";
    case StallCause::host:
      return "host";
  }
  return {};
}

constexpr std::string_view name_of(StreamId stream) {
  switch (stream) {
    case StreamId::compute:
      return "compute";
    case StreamId::copy:
      return "copy";
    case StreamId::comm:
      return "comm";
    case StreamId::peers:
      return "peers";
  }
  return {};
}

struct StepRow {
  int32_t step = 0;      // from 1
  int32_t expert = 0;    // 1: transformer (high noise), 2: transformer_2 (low noise); 0: an engine's files do not tell
  int32_t timestep = 0;  // int(sigma * 1000)
  float sigma = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

// Copies of weights. Each copy over the rank's link is a row (h2d, d2h), and where copies are cut each chunk is one:
// what a chunk waits for at the gate is in no row, so that bytes over time is the rate of the wire. Where ranks of a
// node bring parts of a piece for each other, a rank's rows h2d are its own part, and one row weight_parts has what it
// received from its peers: together the bytes that the schedule says. A switch has one row a direction, uncut.
struct EventRow {
  int32_t step = 0;      // from 1; 0: before the first step, as is the first load of weights
  int16_t forward = -1;  // 0: cond, 1: uncond, -1: not part of a forward
  int16_t block = -1;    // that computes, or that is moved; -1: not part of a block
  EventKind kind = EventKind::compute;
  StallCause cause = StallCause::none;  // stalls only
  StreamId stream = StreamId::compute;
  uint8_t expert = 0;  // whose weights or work: 1, 2; 0: neither
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t bytes = 0;  // moved; 0 for compute and stalls
};

// Of bytes in a MemoryRow: nobody counted. Only what other engines leave has it.
inline constexpr int64_t not_recorded = -1;

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

// How many of a rank's latents were infinite or not a number at the end of a step.
struct NonfiniteRow {
  int32_t step = 0;
  int64_t values = 0;
};

// What the device drew and ran at when a step ended; step 0: when the first one began. Only from devices that tell.
struct PowerRow {
  int32_t step = 0;
  int64_t time_ns = 0;
  int64_t energy_mj = 0;  // since the driver was loaded: what was drawn in a step is the difference to the row before
  int32_t power_mw = 0;   // over the last moments
  int32_t sm_clock_mhz = 0;
  int32_t temperature_c = 0;
};

struct TraceRows {
  std::vector<StepRow> steps;
  std::vector<EventRow> events;
  std::vector<MemoryRow> memory;
  std::vector<ClockRow> clock;
  std::vector<NonfiniteRow> nonfinite = {};  // empty: nobody counted
  std::vector<PowerRow> power = {};          // empty: the device does not tell
};

}  // namespace wansweep
