// Rates from many events, each of which went through several conditions, with intervals that hold where the events of
// one step are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace wansweep {

// How long an event was in one condition.
struct Term {
  size_t unknown = 0;  // the condition, from 0
  double time = 0;
};

struct FittedRate {
  double value = 0;
  std::optional<double> half_width;  // of the 95 % confidence interval; nullopt: it takes two clusters
};

// An event's bytes are the sum of value[unknown] * time over its conditions. The disturbance is in the times: an event
// that is slow for another reason lasts longer, and so spends more time in one condition and a smaller share in the
// others. Plain least squares attribute that to the condition (on four H200, they gave copies 22 GB/s alone and 246
// GB/s beside exchanges, although all copies together reached 32 GB/s). So the conditions of a nominal event are used
// as instruments: an event that begins with the real one and lasts as long as its bytes take at the mean rate. This is
// two-stage least squares, just identified (Wooldridge, "Econometric Analysis of Cross Section and Panel Data", section
// 5.1). Without disturbance it is exact; with one condition, it is all bytes over all time.
//
// Intervals: Student's t with a variance that is robust to correlation within clusters (the same, section 5.2.5, with
// the factor G/(G-1) (n-1)/(n-p) of most programs, called CR1); the degrees of freedom are the clusters in which the
// condition occurred, less one.
class RateFit {
 public:
  explicit RateFit(size_t unknowns);
  // `nominal`: the times of the nominal event.
  void add(int64_t cluster, const std::vector<Term>& times, const std::vector<Term>& nominal, double bytes);
  // By unknown; nullopt where it never occurred, or always in one proportion with others, so that it cannot be told
  // from them; and all where there are no more events than conditions to tell apart.
  std::vector<std::optional<FittedRate>> solve() const;

 private:
  struct Sums {
    std::vector<double> zx;  // instruments x times, row by row
    std::vector<double> zy;  // instruments x bytes
    std::vector<bool> met;   // conditions that occurred
    explicit Sums(size_t unknowns) : zx(unknowns * unknowns), zy(unknowns), met(unknowns) {}
  };
  size_t unknowns_;
  int64_t events_ = 0;
  std::map<int64_t, Sums> clusters_;
};

// The 97.5 % quantile of Student's t: 12.706 for one degree of freedom, 1.960 for many.
double student_t_975(int64_t degrees);

}  // namespace wansweep
