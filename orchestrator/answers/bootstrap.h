// Decides whether two small samples differ by more than their own spread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace wansweep {

inline constexpr int bootstrap_resamples = 10'000;
inline constexpr uint64_t bootstrap_seed = 20'251'212;
inline constexpr size_t bootstrap_least = 3;  // the fewest values on each side for a verdict

double median(std::vector<double> values);  // of at least one value

struct BootstrapInterval {
  double low = 0;
  double high = 0;
  bool excludes_zero() const { return low > 0 || high < 0; }
};

// The 95 % interval of median(after) - median(before) by the percentile bootstrap: both samples are resampled with
// replacement, 10,000 times, by mt19937_64 with a fixed seed, so the same values give the same interval everywhere.
// With three values on each side, it excludes zero only when the samples do not overlap. nullopt when a side has fewer
// than three.
std::optional<BootstrapInterval> bootstrap_difference(const std::vector<double>& before,
                                                      const std::vector<double>& after);

// A value, and what it is compared with.
struct PairedValue {
  double value = 0;
  double baseline = 0;
};

// The same for the ratio of the medians, of the values to the baselines: pairs are resampled, so that what slows both
// of a pair cancels.
std::optional<BootstrapInterval> bootstrap_ratio_difference(const std::vector<PairedValue>& before,
                                                            const std::vector<PairedValue>& after);

}  // namespace wansweep
