// Chooses one value for each of a machine's numbers. Every number is at its median, except that one chosen number, with
// all that share its doubt (measured.h), may be at the low or the high end of its spread.
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
  Draw() = default;  // every number is at its median
  Draw(const Measured* moved, End end) : moved_(moved), end_(end) {}

  double operator()(const Measured& of) {
    asked_.push_back(&of);
    if (moved_ == nullptr || !off_together(of, *moved_)) return of.value;
    return end_ == End::low ? of.low : of.high;
  }

  // Every number that was asked for, in the order of asking; a number may occur several times. The pointers point into
  // the machine.
  const std::vector<const Measured*>& asked() const { return asked_; }

 private:
  const Measured* moved_ = nullptr;
  End end_ = End::low;
  std::vector<const Measured*> asked_;
};

}  // namespace wansweep
