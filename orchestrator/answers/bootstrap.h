// Whether two small samples differ by more than their own spread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace wansweep {

inline constexpr int bootstrap_resamples = 10'000;
inline constexpr uint64_t bootstrap_seed = 20'251'212;
inline constexpr size_t bootstrap_least = 3;  // values on each side; with fewer nothing is said

double median(std::vector<double> values);  // of at least one

struct Interval {
  double low = 0;
  double high = 0;
  bool excludes_zero() const { return low > 0 || high < 0; }
};

// The percentile bootstrap's 95 % interval of median(after) - median(before): both samples are drawn anew with
// replacement, 10,000 times, by mt19937_64 from a fixed seed, so the same values give the same interval everywhere.
// With three values a side it excludes zero only when the samples do not overlap. nullopt when a side has fewer than
// three.
std::optional<Interval> bootstrap_difference(const std::vector<double>& before, const std::vector<double>& after);

}  // namespace wansweep
