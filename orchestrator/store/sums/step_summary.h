// Sums a rank's events by step, so that queries need not read the events.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schema/trace_file.h"

namespace wansweep {

// Table step_summary. Nanoseconds and bytes.
struct StepSummary {
  int64_t compute = 0, h2d = 0, d2h = 0, h2d_bytes = 0, d2h_bytes = 0, exposed_transfer = 0;
  int64_t stall_weights = 0, stall_peers = 0, stall_host = 0, all_to_all = 0, ring = 0;
};
std::map<int32_t, StepSummary> summarize_steps(const std::vector<EventRow>& events);

// Table traffic: copies and exchanges, by what ran at the same time on the rank (beside) and on its peers.
enum class TimeBeside : uint8_t { nothing, part, most };
struct TrafficKey {
  int32_t step = 0;
  EventKind kind = EventKind::all_to_all;  // all_to_all, ring, h2d or d2h
  TimeBeside beside = TimeBeside::nothing;
  TimeBeside peers = TimeBeside::nothing;
  auto operator<=>(const TrafficKey&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};
struct TrafficSum {
  int64_t events = 0, bytes = 0, duration = 0, hidden = 0;
  int64_t with_all_to_all = 0, with_ring = 0, with_h2d = 0, with_d2h = 0, with_peers_same = 0;
};
using Traffic = std::map<TrafficKey, TrafficSum>;

// A rank's events, on the common clock, and the name of its host (empty: unknown).
struct HostedEvents {
  const std::vector<EventRow>* events;
  std::string host;
};
// The traffic of each rank, in the given order. A rank's peers are the other ranks of its host.
std::vector<Traffic> summarize_traffic(const std::vector<HostedEvents>& ranks);

}  // namespace wansweep
