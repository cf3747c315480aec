#include "worker/run_progress.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text_table.h"

namespace wansweep {
namespace {

constexpr double line_every_s = 10;

double monotonic_seconds() { return static_cast<double>(monotonic_ns()) / 1e9; }

}  // namespace

RunProgress::RunProgress(std::FILE* out, ProgressDisplay display, int steps, std::function<double()> now)
    : steps_(steps),
      now_(now ? std::move(now) : monotonic_seconds),
      line_(out, display,
            {.patience_s = display == ProgressDisplay::in_place ? 0 : line_every_s,
             .line_every_s = line_every_s,
             .place_every_s = 0,
             .now = now_}) {}

void RunProgress::begin(const std::string& phase) { line_.show(phase + " ..."); }

void RunProgress::begin_steps() {
  began_ = now_();
  line_.show(fmt::format("step 1 of {} ...", steps_));
}

void RunProgress::step_ended(int step) {
  const double each = (now_() - began_) / step;
  line_.show(fmt::format("step {} of {}, {:.3g} s a step, {} left", step, steps_, each,
                         human_duration(each * (steps_ - step))));
}

void RunProgress::end_steps() { print(fmt::format("{} steps in {:.3g} s", steps_, now_() - began_)); }

void RunProgress::print(const std::string& line) {
  if (line_.display() != ProgressDisplay::none) line_.print(line);
}

}  // namespace wansweep
