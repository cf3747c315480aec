// The rows of a trace. All times are nanoseconds of the rank's monotonic clock; add the rank's clock offset to get rank
// 0's clock. Sizes are in bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wansweep {

// These values are stored in files and databases: add new ones at the end.
enum class EventKind : uint8_t { compute, attention, all_to_all, ring, h2d, d2h, stall, switch_experts, weight_parts };
enum class StallCause : uint8_t { none, weights, peers, host };
enum class StreamId : uint8_t { compute, copy, comm, peers };  // peers: the exchange of parts of weights

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
  int32_t expert = 0;    // 1: transformer (high noise), 2: transformer_2 (low noise); 0: unknown, from another engine
  int32_t timestep = 0;  // int(sigma * 1000)
  float sigma = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

// Rows for copies of weights: each copy over the rank's link is one row (h2d, d2h); of a copy that is cut, each chunk
// is one. The time that a chunk waits at the gate is in no row, so that bytes over time is the rate of the link. When
// the ranks of a node copy parts for each other, a rank's rows h2d are its own part, and one row weight_parts is what
// it received from its peers: together they are the bytes of the schedule. A switch has one uncut row for each
// direction.
struct EventRow {
  int32_t step = 0;      // from 1; 0: before the first step, as the first load of weights
  int16_t forward = -1;  // 0: cond, 1: uncond, -1: not part of a forward
  int16_t block = -1;    // the block that computes or is moved; -1: not part of a block
  EventKind kind = EventKind::compute;
  StallCause cause = StallCause::none;  // stalls only
  StreamId stream = StreamId::compute;
  uint8_t expert = 0;  // the expert whose weights or work this is: 1, 2; 0: neither
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t bytes = 0;  // moved; 0 for compute and stalls
};

// Bytes in a MemoryRow that were not counted; only traces of other engines have this.
inline constexpr int64_t not_recorded = -1;

struct MemoryRow {
  int32_t step = 0;
  int64_t time_ns = 0;
  int64_t device_used = 0;  // bytes
  int64_t device_peak = 0;
  int64_t host_used = 0;  // bytes of the host store
  int64_t host_peak = 0;
};

struct ClockRow {
  int32_t at_end = 0;         // 0: measured before the first step, 1: after the last
  int64_t time_ns = 0;        // this rank's clock, at the measurement
  int64_t offset_ns = 0;      // rank 0's clock minus this rank's
  int64_t round_trip_ns = 0;  // of the fastest exchange; the offset's uncertainty is half of it
};

// The number of a rank's latents that were infinite or not a number at the end of a step.
struct NonfiniteRow {
  int32_t step = 0;
  int64_t values = 0;
};

// The device's energy, power and clocks at the end of a step; step 0 is the beginning of the first. Only from devices
// that report them.
struct PowerRow {
  int32_t step = 0;
  int64_t time_ns = 0;
  int64_t energy_mj = 0;  // since the driver was loaded: a step's energy is the difference to the row before
  int32_t power_mw = 0;   // average over the last moments, as the driver measures it
  int32_t sm_clock_mhz = 0;
  int32_t temperature_c = 0;
};

struct TraceRows {
  std::vector<StepRow> steps;
  std::vector<EventRow> events;
  std::vector<MemoryRow> memory;
  std::vector<ClockRow> clock;
  std::vector<NonfiniteRow> nonfinite = {};  // empty: not counted
  std::vector<PowerRow> power = {};          // empty: the device does not report its power
};

}  // namespace wansweep
