// Times of one kind are sorted and united first, so that events that overlap count once, and what lies under them is
// found by bisection: n log n in a rank's events.
// Exposed transfer is what no computation of the rank covers, of any step: a copy may hide behind the step before. A
// rank's peers are those of the same host, since only they share its links; where the host is not known, it has none.

#include "orchestrator/store/sums/step_summary.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "orchestrator/store/sums/intervals.h"

namespace wansweep {
namespace {

template <typename Wanted>
Intervals united_of(const std::vector<EventRow>& events, Wanted wanted) {
  Intervals intervals;
  for (const EventRow& e : events) {
    if (wanted(e.kind)) intervals.push_back({e.start_ns, e.end_ns});
  }
  return united(std::move(intervals));
}

// When which kind of event ran.
struct Busy {
  std::array<Intervals, 8> of;  // by EventKind; copies and exchanges only
  Intervals work, copies, exchanges;
};

Busy busy_of(const std::vector<EventRow>& events) {
  Busy busy;
  for (const EventRow& e : events) {
    const Interval time{e.start_ns, e.end_ns};
    if (is_copy(e.kind) || is_exchange(e.kind)) busy.of.at(static_cast<size_t>(e.kind)).push_back(time);
    if (is_work(e.kind)) busy.work.push_back(time);
    if (is_copy(e.kind)) busy.copies.push_back(time);
    if (is_exchange(e.kind)) busy.exchanges.push_back(time);
  }
  for (Intervals& of : busy.of) of = united(std::move(of));
  busy.work = united(std::move(busy.work));
  busy.copies = united(std::move(busy.copies));
  busy.exchanges = united(std::move(busy.exchanges));
  return busy;
}

// Both are sorted, and so they stay.
void add(Intervals& all, const Intervals& more) {
  const auto before = static_cast<std::ptrdiff_t>(all.size());
  all.insert(all.end(), more.begin(), more.end());
  std::inplace_merge(all.begin(), all.begin() + before, all.end(), earlier);
}

Traffic traffic_of(const std::vector<EventRow>& events, const Busy& own, const Busy& peers) {
  Traffic traffic;
  for (const EventRow& e : events) {
    if (!is_copy(e.kind) && !is_exchange(e.kind)) continue;
    const Interval time{e.start_ns, e.end_ns};
    const int64_t duration = e.end_ns - e.start_ns;
    const auto beside = [&](const Busy& of) {
      const int64_t with_other = covered(time, is_copy(e.kind) ? of.exchanges : of.copies);
      return with_other == 0 ? TimeBeside::nothing : 2 * with_other < duration ? TimeBeside::part : TimeBeside::most;
    };
    TrafficSum& sum = traffic[{e.step, e.kind, beside(own), beside(peers)}];
    ++sum.events;
    sum.bytes += e.bytes;
    sum.duration += duration;
    sum.hidden += covered(time, own.work);
    const auto with = [&](EventKind kind) {
      return e.kind == kind ? 0 : covered(time, own.of.at(static_cast<size_t>(kind)));
    };
    sum.with_all_to_all += with(EventKind::all_to_all);
    sum.with_ring += with(EventKind::ring);
    sum.with_h2d += with(EventKind::h2d);
    sum.with_d2h += with(EventKind::d2h);
    sum.with_peers_same += covered(time, peers.of.at(static_cast<size_t>(e.kind)));
  }
  return traffic;
}

void add(StepSummary& sum, const EventRow& e) {
  const int64_t duration = e.end_ns - e.start_ns;
  switch (e.kind) {
    case EventKind::compute:
    case EventKind::attention:
      sum.compute += duration;
      break;
    case EventKind::h2d:
      sum.h2d += duration;
      sum.h2d_bytes += e.bytes;
      break;
    case EventKind::d2h:
      sum.d2h += duration;
      sum.d2h_bytes += e.bytes;
      break;
    case EventKind::all_to_all:
      sum.all_to_all += duration;
      break;
    case EventKind::ring:
      sum.ring += duration;
      break;
    case EventKind::stall:
      if (e.cause == StallCause::weights) sum.stall_weights += duration;
      if (e.cause == StallCause::peers) sum.stall_peers += duration;
      if (e.cause == StallCause::host) sum.stall_host += duration;
      break;
    case EventKind::switch_experts:
    case EventKind::weight_parts:
      break;
  }
}

}  // namespace

std::map<int32_t, StepSummary> summarize_steps(const std::vector<EventRow>& events) {
  std::map<int32_t, StepSummary> summaries;
  std::map<int32_t, Intervals> copies;
  StepSummary* sum = nullptr;
  int32_t step = 0;
  for (const EventRow& e : events) {  // mostly in the order of their steps
    if (sum == nullptr || e.step != step) {
      step = e.step;
      sum = &summaries[step];
    }
    add(*sum, e);
    if (is_copy(e.kind)) copies[step].push_back({e.start_ns, e.end_ns});
  }
  if (copies.empty()) return summaries;
  const Intervals work = united_of(events, is_work);
  for (auto& [at, intervals] : copies) {
    for (const Interval& copy : united(std::move(intervals))) {
      summaries[at].exposed_transfer += copy.end - copy.start - covered(copy, work);
    }
  }
  return summaries;
}

std::vector<Traffic> summarize_traffic(const std::vector<HostedEvents>& ranks) {
  std::vector<Busy> busy;
  busy.reserve(ranks.size());
  for (const HostedEvents& rank : ranks) busy.push_back(busy_of(*rank.events));
  std::vector<Traffic> traffic;
  for (size_t r = 0; r < ranks.size(); ++r) {
    Busy peers;
    for (size_t p = 0; p < ranks.size(); ++p) {
      if (p == r || ranks[p].host.empty() || ranks[p].host != ranks[r].host) continue;
      for (size_t kind = 0; kind < peers.of.size(); ++kind) add(peers.of[kind], busy[p].of[kind]);
      add(peers.copies, busy[p].copies);
      add(peers.exchanges, busy[p].exchanges);
    }
    for (Intervals& of : peers.of) of = united(std::move(of));
    peers.copies = united(std::move(peers.copies));
    peers.exchanges = united(std::move(peers.exchanges));
    traffic.push_back(traffic_of(*ranks[r].events, busy[r], peers));
  }
  return traffic;
}

}  // namespace wansweep
