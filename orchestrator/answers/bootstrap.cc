#include "orchestrator/answers/bootstrap.h"

#include <algorithm>
#include <random>

namespace wansweep {
namespace {

// Not std::uniform_int_distribution, which gives other numbers with another standard library. The bias of the modulus
// is below 1e-17 for samples of this size.
template <typename Sample>
void resample(const std::vector<Sample>& values, std::mt19937_64& random, std::vector<Sample>& resampled) {
  resampled.clear();
  for (size_t i = 0; i < values.size(); ++i) resampled.push_back(values[random() % values.size()]);
}

// The interval of statistic(after) - statistic(before).
template <typename Sample, typename Statistic>
std::optional<BootstrapInterval> interval_of(const std::vector<Sample>& before, const std::vector<Sample>& after,
                                             const Statistic& statistic) {
  if (before.size() < bootstrap_least || after.size() < bootstrap_least) return std::nullopt;
  std::mt19937_64 random(bootstrap_seed);
  std::vector<Sample> resampled;
  std::vector<double> differences;
  differences.reserve(bootstrap_resamples);
  for (int i = 0; i < bootstrap_resamples; ++i) {
    resample(before, random, resampled);
    const double first = statistic(resampled);
    resample(after, random, resampled);
    differences.push_back(statistic(resampled) - first);
  }
  std::sort(differences.begin(), differences.end());
  constexpr size_t tail = bootstrap_resamples / 40;  // 2.5 %
  return BootstrapInterval{differences[tail], differences[bootstrap_resamples - 1 - tail]};
}

double ratio_of_medians(const std::vector<PairedValue>& pairs) {
  std::vector<double> values, baselines;
  for (const PairedValue& pair : pairs) {
    values.push_back(pair.value);
    baselines.push_back(pair.baseline);
  }
  return median(std::move(values)) / median(std::move(baselines));
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<BootstrapInterval> bootstrap_difference(const std::vector<double>& before,
                                                      const std::vector<double>& after) {
  return interval_of(before, after, median);
}

std::optional<BootstrapInterval> bootstrap_ratio_difference(const std::vector<PairedValue>& before,
                                                            const std::vector<PairedValue>& after) {
  return interval_of(before, after, ratio_of_medians);
}

}  // namespace wansweep
