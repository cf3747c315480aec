// One value of each of a machine's numbers: the medians, with one of them, and those that share its doubt, at an end of
// their spreads.
#pragma once

#include <vector>

#include "orchestrator/machines/machine.h"

namespace wansweep {

enum class End : uint8_t { low, high };

inline bool off_together(const Measured& a, const Measured& b) {
  return &a == &b || (!a.doubt.empty() && a.doubt == b.doubt);
}

class Draw {
 public:
  Draw() = default;  // the medians
  Draw(const Measured* moved, End end) : moved_(moved), end_(end) {}

  double operator()(const Measured& of) {
    asked_.push_back(&of);
    if (moved_ == nullptr || !off_together(of, *moved_)) return of.value;
    return end_ == End::low ? of.low : of.high;
  }

  // What was asked for, in that order; a number may be there several times. They point into the machine.
  const std::vector<const Measured*>& asked() const { return asked_; }

 private:
  const Measured* moved_ = nullptr;
  End end_ = End::low;
  std::vector<const Measured*> asked_;
};

}  // namespace wansweep
