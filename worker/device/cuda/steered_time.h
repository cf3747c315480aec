// A clock that runs beside the host's and drifts from it, followed along a chain of marks. What it is off by is made up
// at one ten-thousandth of the time that passes, between two marks as well as at them: so the time that is told has no
// steps, and no event is told to end before it starts, however long ago the last mark is.
#pragma once

#include <algorithm>
#include <cstdint>

namespace wansweep {

// The time at one mark. All values in nanoseconds.
class SteeredTime {
 public:
  // The first mark, at a time of the host's.
  explicit SteeredTime(int64_t host) : own_(host) {}

  // The host's time, so long after the mark, or before it but after the mark before.
  int64_t at(int64_t since) const {
    return own_ + since + (since < 0 ? before_.at(passed_ + since) : after_.at(since));
  }

  // The time at the next mark. `target`: what would have to be added to own() to agree with the host's clock, as it was
  // last seen.
  SteeredTime next(int64_t passed, int64_t target) const {
    SteeredTime made(own_ + passed);
    made.before_ = after_;
    made.passed_ = passed;
    made.after_ = {after_.at(passed), target};
    return made;
  }

  // By the clock itself, counted from the host's time at the first mark.
  int64_t own() const { return own_; }

 private:
  // What is added to the clock's own time from one mark on: it moves towards its target.
  struct Offset {
    int64_t start = 0, target = 0;
    int64_t at(int64_t since) const {
      const int64_t most = std::max<int64_t>(since, 0) / 10'000;
      return start + std::clamp(target - start, -most, most);
    }
  };

  int64_t own_;
  Offset before_, after_;
  int64_t passed_ = 0;  // since the mark before
};

}  // namespace wansweep
