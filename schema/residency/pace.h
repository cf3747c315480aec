// When copies start on a link that is to be loaded evenly. Time is counted in uses: the time in which a block computes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wansweep {

// Of one copy: its slot is free when use `from` starts, and it must have arrived when use `until` does.
struct CopyWindow {
  int32_t from = 0;
  int32_t until = 0;
};

// Blocks over uses: a half is a block in the time of two uses. Exact, so that both programs plan the same.
struct LinkRate {
  int64_t copies = 0;
  int64_t uses = 1;
  bool operator<(const LinkRate& other) const { return copies * other.uses < other.copies * uses; }
  double copies_per_use() const { return static_cast<double>(copies) / static_cast<double>(uses); }
};

// The least rate of a link that brings every copy within its window, one after the other: the most copies over uses of
// any run of windows. Both ends of the windows must rise.
LinkRate least_rate(std::span<const CopyWindow> windows);

// For each copy the use that it starts with: as early as its slot is free, but never sooner after the copy before it
// than a link of `rate` takes for that. At a rate of least_rate or more every copy arrives in time.
std::vector<int32_t> paced_starts(std::span<const CopyWindow> windows, const LinkRate& rate);

}  // namespace wansweep
