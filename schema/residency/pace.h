// When copies start, so that a link is loaded evenly. The unit of time is a use: the time in which one block computes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wansweep {

// The time window of one copy: its slot is free when use `from` starts, and it must have arrived when use `until`
// starts.
struct CopyWindow {
  int32_t from = 0;
  int32_t until = 0;
};

// Copies per use, as an exact fraction, so that both programs make the same plan: 1 / 2 is one block in the time of two
// uses.
struct LinkRate {
  int64_t copies = 0;
  int64_t uses = 1;
  bool operator<(const LinkRate& other) const { return copies * other.uses < other.copies * uses; }
  double copies_per_use() const { return static_cast<double>(copies) / static_cast<double>(uses); }
};

// The least rate at which a link can make all copies, one after the other, each within its window: the maximum, over
// all runs of consecutive windows, of copies divided by uses. `from` and `until` must ascend.
LinkRate least_rate(std::span<const CopyWindow> windows);

// For each copy the use with which it starts: as soon as its slot is free and a link of `rate` has finished the copy
// before it. At a rate of least_rate() or more, every copy arrives in time.
std::vector<int32_t> paced_starts(std::span<const CopyWindow> windows, const LinkRate& rate);

}  // namespace wansweep
