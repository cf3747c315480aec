// A sweep over a rank's time: from one point at which anything begins or ends to the next, all of it belongs to one
// part. The points of a step are those between its ends, so what is summed is what there is, to the nanosecond.

#include "orchestrator/store/sums/time_parts.h"

#include <algorithm>
#include <array>
#include <limits>

#include "orchestrator/store/sums/intervals.h"

namespace wansweep {
namespace {

// Goes through united intervals with times that only grow.
class Cursor {
 public:
  explicit Cursor(Intervals intervals) : intervals_(united(std::move(intervals))) {}
  // Whether `time` lies within one of them.
  bool at(int64_t time) {
    while (next_ < intervals_.size() && intervals_[next_].end <= time) ++next_;
    return next_ < intervals_.size() && intervals_[next_].start <= time;
  }
  // When that changes, after at(time).
  int64_t until(int64_t time) const {
    if (next_ == intervals_.size()) return std::numeric_limits<int64_t>::max();
    return intervals_[next_].start > time ? intervals_[next_].start : intervals_[next_].end;
  }

 private:
  Intervals intervals_;
  size_t next_ = 0;
};

// What went on at a time.
enum Activity : size_t { work, moving, copy_or_weights, peers, host, activities };

std::array<Cursor, activities> activities_of(const std::vector<EventRow>& events, const std::vector<int64_t>& since) {
  std::array<Intervals, activities> times;
  for (size_t i = 0; i < events.size(); ++i) {
    const EventRow& e = events[i];
    const auto add = [&](Activity activity, int64_t start, int64_t end) {
      if (start < end) times.at(activity).push_back({start, end});
    };
    switch (e.kind) {
      case EventKind::compute:
      case EventKind::attention:
        add(work, e.start_ns, e.end_ns);
        break;
      case EventKind::all_to_all:
      case EventKind::ring:
        add(peers, e.start_ns, since[i]);
        add(moving, since[i], e.end_ns);
        break;
      case EventKind::h2d:
      case EventKind::d2h:
      case EventKind::weight_parts:
        add(copy_or_weights, e.start_ns, e.end_ns);
        break;
      case EventKind::stall:
        if (e.cause == StallCause::weights) add(copy_or_weights, e.start_ns, e.end_ns);
        if (e.cause == StallCause::peers) add(peers, e.start_ns, e.end_ns);
        if (e.cause == StallCause::host) add(host, e.start_ns, e.end_ns);
        break;
      case EventKind::switch_experts:
        break;
    }
  }
  return {Cursor(std::move(times[work])), Cursor(std::move(times[moving])), Cursor(std::move(times[copy_or_weights])),
          Cursor(std::move(times[peers])), Cursor(std::move(times[host]))};
}

int64_t TimeParts::*part_of(const std::array<bool, activities>& on) {
  if (on[work]) return &TimeParts::compute;
  if (on[moving]) return on[copy_or_weights] ? &TimeParts::both : &TimeParts::exchange;
  if (on[peers]) return on[copy_or_weights] ? &TimeParts::peers_beside_transfer : &TimeParts::peers;
  if (on[copy_or_weights]) return &TimeParts::transfer;
  return on[host] ? &TimeParts::host : &TimeParts::idle;
}

Interval wall_time(const AttemptEvents& attempt) {
  Interval wall{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  for (const RankEvents& rank : attempt.ranks) {
    for (const StepRow& s : *rank.steps) {
      wall.start = std::min(wall.start, s.start_ns);
      wall.end = std::max(wall.end, s.end_ns);
    }
  }
  return wall;
}

}  // namespace

std::vector<std::map<int32_t, TimeParts>> split_time(const AttemptEvents& attempt,
                                                     const std::vector<std::vector<int64_t>>& since) {
  const Interval wall = wall_time(attempt);
  std::vector<std::map<int32_t, TimeParts>> parts(attempt.ranks.size());
  for (size_t r = 0; r < attempt.ranks.size(); ++r) {
    const std::vector<StepRow>& steps = *attempt.ranks[r].steps;
    std::array<Cursor, activities> cursors = activities_of(*attempt.ranks[r].events, since[r]);
    int64_t time = wall.start;
    for (size_t s = 0; s < steps.size(); ++s) {
      TimeParts& sum = parts[r][steps[s].step];
      const int64_t end = s + 1 < steps.size() ? steps[s + 1].start_ns : wall.end;
      while (time < end) {
        std::array<bool, activities> on{};
        int64_t until = end;
        for (size_t a = 0; a < activities; ++a) {
          on.at(a) = cursors.at(a).at(time);
          until = std::min(until, cursors.at(a).until(time));
        }
        sum.*part_of(on) += until - time;
        time = until;
      }
    }
  }
  return parts;
}

}  // namespace wansweep
