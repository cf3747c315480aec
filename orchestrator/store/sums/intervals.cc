#include "orchestrator/store/sums/intervals.h"

#include <algorithm>

namespace wansweep {

bool earlier(const Interval& a, const Interval& b) { return a.start < b.start; }

Intervals united(Intervals intervals) {
  if (!std::is_sorted(intervals.begin(), intervals.end(), earlier)) {
    std::sort(intervals.begin(), intervals.end(), earlier);
  }
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

int64_t covered(const Interval& what, const Intervals& cover) {
  int64_t total = 0;
  auto c = std::partition_point(cover.begin(), cover.end(), [&](const Interval& i) { return i.end <= what.start; });
  for (; c != cover.end() && c->start < what.end; ++c) {
    total += std::min(what.end, c->end) - std::max(what.start, c->start);
  }
  return total;
}

bool contains(const Intervals& cover, int64_t time) {
  const auto c = std::partition_point(cover.begin(), cover.end(), [&](const Interval& i) { return i.end <= time; });
  return c != cover.end() && c->start <= time;
}

}  // namespace wansweep
