// The rates of copies and exchanges, alone and beside each other, and by the number of ranks of a node that copy at
// once. All events of an attempt count, including those that overlap the other sort for only a part of their time.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"

namespace wansweep {

// What of the other sort went on at a time: for a copy (h2d, d2h) and for parts of weights from peers (weight_parts),
// an exchange that moved data; for an exchange (all_to_all, ring), a copy. A node's ranks are those of one host.
enum class Condition : uint8_t {
  alone,         // on no rank of the node
  beside,        // on the rank itself
  beside_peers,  // only on other ranks of the node
};

struct RateKey {
  EventKind kind = EventKind::h2d;
  int32_t at_once = 0;  // ranks of the node, this one too, that copied the same way at the time; 0: any number
  Condition condition = Condition::alone;
  auto operator<=>(const RateKey&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};

// Table traffic_rate.
struct TrafficRate {
  int64_t events = 0;                // that spent any of their time so
  int64_t time_ns = 0;               // that they spent so, summed
  std::optional<double> rate;        // bytes a second of one rank; nullopt: the events do not tell it (told_rates.h)
  std::optional<double> half_width;  // of its interval: of 95 % confidence, or what the fastest event allows; nullopt:
                                     // the events are of one step, all in one condition
};

// Each event's bytes are the sum, over the conditions that it went through, of the condition's rate times its time; the
// rates are fitted to all events of steps 1 and later (rate_fit.h), with the steps as clusters. Of an exchange,
// and of parts from peers, only the time counts in which data moved (`since`: exchange_start.h). Copies are asked
// twice: by the condition alone, with at_once 0, and by both.
std::map<RateKey, TrafficRate> estimate_rates(const AttemptEvents& attempt,
                                              const std::vector<std::vector<int64_t>>& since);

}  // namespace wansweep
