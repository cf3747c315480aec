#include "schema/residency/pace.h"

#include <algorithm>

namespace wansweep {

// Dinkelbach's iteration: for a rate c / u, the run of windows a .. b that exceeds it most is the one with the largest
// (b - a + 1) u - c (until_b - from_a). Its own rate is the next c / u, until no run exceeds it: a handful of rounds.
LinkRate least_rate(std::span<const CopyWindow> windows) {
  LinkRate rate;
  for (bool exceeded = !windows.empty(); exceeded;) {
    exceeded = false;
    const LinkRate tried = rate;
    int64_t most = 0, best_head = 0;
    size_t head = 0;
    for (size_t b = 0; b < windows.size(); ++b) {
      const auto index = static_cast<int64_t>(b);
      const int64_t as_head = tried.copies * windows[b].from - index * tried.uses;
      if (b == 0 || as_head > best_head) {
        best_head = as_head;
        head = b;
      }
      const int64_t excess = best_head + (index + 1) * tried.uses - tried.copies * windows[b].until;
      if (excess <= most) continue;
      most = excess;
      exceeded = true;
      rate = {index + 1 - static_cast<int64_t>(head), int64_t{windows[b].until} - windows[head].from};
    }
  }
  return rate;
}

std::vector<int32_t> paced_starts(std::span<const CopyWindow> windows, const LinkRate& rate) {
  std::vector<int32_t> starts;
  starts.reserve(windows.size());
  int64_t link_free = 0;  // when the link is free, in units of 1 / rate.copies of a use
  for (const CopyWindow& window : windows) {
    const int64_t start = std::max(window.from * rate.copies, link_free);
    starts.push_back(static_cast<int32_t>(start / rate.copies));
    link_free = start + rate.uses;
  }
  return starts;
}

}  // namespace wansweep
