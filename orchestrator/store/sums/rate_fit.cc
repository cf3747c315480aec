// The equations, a few unknowns large, are brought to reduced row echelon form with complete pivoting, beside the
// identity that becomes their inverse. What remains without a pivot is free; an unknown whose row has a part of a free
// one is not determined, nor is the free one itself.

#include "orchestrator/store/sums/rate_fit.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace wansweep {
namespace {

constexpr double vanishing = 1e-9;  // against the largest of what there was
constexpr double taking_part = 1e-6;

using Matrix = std::vector<std::vector<double>>;

struct Reduced {
  Matrix inverse;                // rows by unknown; of those that are determined
  std::vector<bool> determined;  // by unknown
};

Reduced reduce(Matrix a) {
  const size_t n = a.size();
  double largest = 0;
  for (size_t i = 0; i < n; ++i) {
    for (const double value : a[i]) largest = std::max(largest, std::abs(value));
    a[i].resize(2 * n);
    a[i][n + i] = 1;
  }
  std::vector<size_t> unknown(n);  // of each column, as columns change places
  for (size_t i = 0; i < n; ++i) unknown[i] = i;
  size_t rank = 0;
  for (; rank < n; ++rank) {
    size_t row = rank, column = rank;
    for (size_t i = rank; i < n; ++i) {
      for (size_t j = rank; j < n; ++j) {
        if (std::abs(a[i][j]) > std::abs(a[row][column])) row = i, column = j;
      }
    }
    if (std::abs(a[row][column]) <= vanishing * largest) break;
    std::swap(a[rank], a[row]);
    std::swap(unknown[rank], unknown[column]);
    for (std::vector<double>& each : a) std::swap(each[rank], each[column]);
    const double pivot = a[rank][rank];
    for (double& value : a[rank]) value /= pivot;
    for (size_t i = 0; i < n; ++i) {
      const double times = a[i][rank];
      if (i == rank || times == 0) continue;
      for (size_t j = 0; j < 2 * n; ++j) a[i][j] -= times * a[rank][j];
    }
  }
  Reduced reduced{Matrix(n), std::vector<bool>(n)};
  for (size_t i = 0; i < rank; ++i) {
    bool determined = true;
    for (size_t j = rank; j < n; ++j) determined = determined && std::abs(a[i][j]) <= taking_part;
    reduced.determined[unknown[i]] = determined;
    reduced.inverse[unknown[i]].assign(a[i].begin() + static_cast<std::ptrdiff_t>(n), a[i].end());
  }
  return reduced;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

RateFit::RateFit(size_t unknowns) : unknowns_(unknowns) {}

void RateFit::add(int64_t cluster, const std::vector<Term>& times, const std::vector<Term>& nominal, double bytes) {
  Sums& sums = clusters_.try_emplace(cluster, unknowns_).first->second;
  double whole = 0;
  for (const Term& z : nominal) whole += z.time;
  for (const Term& z : nominal) {
    const double share = z.time / whole;
    for (const Term& x : times) sums.zx[z.unknown * unknowns_ + x.unknown] += share * x.time;
    sums.zy[z.unknown] += share * bytes;
  }
  for (const Term& x : times) sums.met[x.unknown] = true;
  ++events_;
}

std::vector<std::optional<FittedRate>> RateFit::solve() const {
  std::vector<int64_t> clusters_with(unknowns_);
  for (const auto& [cluster, sums] : clusters_) {
    for (size_t i = 0; i < unknowns_; ++i) clusters_with[i] += sums.met[i] ? 1 : 0;
  }
  std::vector<size_t> used;
  for (size_t i = 0; i < unknowns_; ++i) {
    if (clusters_with[i] > 0) used.push_back(i);
  }
  std::vector<std::optional<FittedRate>> estimates(unknowns_);
  const size_t n = used.size();
  if (n > 1 && events_ <= static_cast<int64_t>(n)) return estimates;  // any rates would fit
  Matrix zx(n, std::vector<double>(n));
  std::vector<double> zy(n);
  for (const auto& [cluster, sums] : clusters_) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) zx[i][j] += sums.zx[used[i] * unknowns_ + used[j]];
      zy[i] += sums.zy[used[i]];
    }
  }
  const Reduced reduced = reduce(std::move(zx));
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) {
    if (!reduced.inverse[i].empty()) values[i] = product(reduced.inverse[i], zy);
  }

  // The inverse times each cluster's sum of residuals, squared and summed.
  std::vector<double> variance(n);
  for (const auto& [cluster, sums] : clusters_) {
    std::vector<double> residual(n);
    for (size_t i = 0; i < n; ++i) {
      residual[i] = sums.zy[used[i]];
      for (size_t j = 0; j < n; ++j) residual[i] -= sums.zx[used[i] * unknowns_ + used[j]] * values[j];
    }
    for (size_t i = 0; i < n; ++i) {
      if (!reduced.determined[i]) continue;
      const double moved = product(reduced.inverse[i], residual);
      variance[i] += moved * moved;
    }
  }
  const auto groups = static_cast<double>(clusters_.size());
  const auto events = static_cast<double>(events_);
  const auto unknowns = static_cast<double>(n);
  const double factor =
      groups > 1 && events > unknowns ? groups / (groups - 1) * (events - 1) / (events - unknowns) : 0;

  for (size_t i = 0; i < n; ++i) {
    if (!reduced.determined[i]) continue;
    FittedRate& estimate = estimates[used[i]].emplace(FittedRate{values[i], std::nullopt});
    const int64_t degrees = clusters_with[used[i]] - 1;
    if (degrees >= 1 && factor > 0) estimate.half_width = student_t_975(degrees) * std::sqrt(variance[i] * factor);
  }
  return estimates;
}

// Abramowitz and Stegun 26.7.5, within 1 % from three degrees on; the first two in closed form.
double student_t_975(int64_t degrees) {
  if (degrees <= 1) return 12.7062;
  if (degrees == 2) return 4.3027;
  constexpr double z = 1.959964;
  constexpr double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  const auto n = static_cast<double>(degrees);
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * n * n * n * n);
}

}  // namespace wansweep
