#include "orchestrator/answers/bootstrap.h"

#include <algorithm>
#include <random>

namespace wansweep {
namespace {

// Not std::uniform_int_distribution, which gives other numbers with another standard library. The bias of the modulus
// is below 1e-17 for samples of this size.
double resampled_median(const std::vector<double>& values, std::mt19937_64& random, std::vector<double>& scratch) {
  scratch.clear();
  for (size_t i = 0; i < values.size(); ++i) scratch.push_back(values[random() % values.size()]);
  return median(scratch);
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<BootstrapInterval> bootstrap_difference(const std::vector<double>& before,
                                                      const std::vector<double>& after) {
  if (before.size() < bootstrap_least || after.size() < bootstrap_least) return std::nullopt;
  std::mt19937_64 random(bootstrap_seed);
  std::vector<double> scratch;
  std::vector<double> differences;
  differences.reserve(bootstrap_resamples);
  for (int i = 0; i < bootstrap_resamples; ++i) {
    const double first = resampled_median(before, random, scratch);
    differences.push_back(resampled_median(after, random, scratch) - first);
  }
  std::sort(differences.begin(), differences.end());
  constexpr size_t tail = bootstrap_resamples / 40;  // 2.5 %
  return BootstrapInterval{differences[tail], differences[bootstrap_resamples - 1 - tail]};
}

}  // namespace wansweep
