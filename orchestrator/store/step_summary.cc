#include "orchestrator/store/step_summary.h"

#include <algorithm>

namespace wansweep {
namespace {

struct Interval {
  int64_t start, end;
};
using Intervals = std::vector<Interval>;

// Sorted, and those that touch made one.
Intervals united(Intervals intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.start < b.start; });
  Intervals result;
  for (const Interval& i : intervals) {
    if (!result.empty() && i.start <= result.back().end) {
      result.back().end = std::max(result.back().end, i.end);
    } else {
      result.push_back(i);
    }
  }
  return result;
}

// How much of `what` lies within `cover`, which is united.
int64_t covered(const Interval& what, const Intervals& cover) {
  int64_t total = 0;
  auto c = std::partition_point(cover.begin(), cover.end(), [&](const Interval& i) { return i.end <= what.start; });
  for (; c != cover.end() && c->start < what.end; ++c) {
    total += std::min(what.end, c->end) - std::max(what.start, c->start);
  }
  return total;
}

bool is_work(EventKind kind) { return kind == EventKind::compute || kind == EventKind::attention; }
bool is_copy(EventKind kind) { return kind == EventKind::h2d || kind == EventKind::d2h; }
bool is_exchange(EventKind kind) { return kind == EventKind::all_to_all || kind == EventKind::ring; }

template <typename Wanted>
Intervals united_of(const std::vector<EventRow>& events, Wanted wanted) {
  Intervals intervals;
  for (const EventRow& e : events) {
    if (wanted(e.kind)) intervals.push_back({e.start_ns, e.end_ns});
  }
  return united(std::move(intervals));
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

std::map<TrafficKey, TrafficSum> summarize_traffic(const std::vector<EventRow>& events) {
  const Intervals work = united_of(events, is_work);
  const Intervals copies = united_of(events, is_copy);
  const Intervals exchanges = united_of(events, is_exchange);
  const auto of = [&](EventKind kind) { return united_of(events, [kind](EventKind other) { return other == kind; }); };
  const Intervals all_to_all = of(EventKind::all_to_all), ring = of(EventKind::ring);
  const Intervals h2d = of(EventKind::h2d), d2h = of(EventKind::d2h);

  std::map<TrafficKey, TrafficSum> sums;
  for (const EventRow& e : events) {
    if (!is_copy(e.kind) && !is_exchange(e.kind)) continue;
    const Interval time{e.start_ns, e.end_ns};
    const int64_t duration = e.end_ns - e.start_ns;
    const int64_t with_other = covered(time, is_copy(e.kind) ? exchanges : copies);
    const Beside beside = with_other == 0 ? Beside::nothing : 2 * with_other < duration ? Beside::part : Beside::most;
    TrafficSum& sum = sums[{e.step, e.kind, beside}];
    ++sum.events;
    sum.bytes += e.bytes;
    sum.duration += duration;
    sum.hidden += covered(time, work);
    const auto with = [&](EventKind kind, const Intervals& cover) { return e.kind == kind ? 0 : covered(time, cover); };
    sum.with_all_to_all += with(EventKind::all_to_all, all_to_all);
    sum.with_ring += with(EventKind::ring, ring);
    sum.with_h2d += with(EventKind::h2d, h2d);
    sum.with_d2h += with(EventKind::d2h, d2h);
  }
  return sums;
}

}  // namespace wansweep
