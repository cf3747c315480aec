// What rank 0 says of a run on standard output while it goes on: on a terminal what it does ("loading weights"), then a
// line that counts steps, rewritten in place; elsewhere a plain line every ten seconds.
#pragma once

#include <functional>
#include <string>

#include "base/terminal/progress_line.h"

namespace wansweep {

class RunProgress {
 public:
  // `now`: seconds since any moment; empty: the monotonic clock.
  RunProgress(std::FILE* out, ProgressDisplay display, int steps, std::function<double()> now = {});

  // Names what happens before the first step, with a verb's -ing form.
  void begin(const std::string& phase);
  void begin_steps();
  // "step 5 of 27, 1.54 s a step, 0:34 left".
  void step_ended(int step);
  // All steps are done: "27 steps in 41.6 s".
  void end_steps();
  // Prints a line that stays, unless nothing is to be shown.
  void print(const std::string& line);
  // Erases what is in place, before something else is written.
  void clear() { line_.clear(); }

 private:
  int steps_;
  std::function<double()> now_;
  ProgressLine line_;
  double began_ = 0;  // time at which the first step began
};

}  // namespace wansweep
