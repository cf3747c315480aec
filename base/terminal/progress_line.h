// How far a piece of work is, for whoever waits for it: on a terminal one line that is rewritten in place, elsewhere a
// plain line now and then.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace wansweep {

// What long work calls as often as it likes: what it does ("reading attempts"), and how many of all are done.
using ProgressSink = std::function<void(std::string_view what, size_t done, size_t all)>;

enum class ProgressDisplay : uint8_t {
  none,      // nothing at all
  lines,     // plain lines: a log, a pipe, a terminal that cannot erase
  in_place,  // a terminal
};

// By what `out` is. quiet: none.
ProgressDisplay progress_display(std::FILE* out, bool quiet = false);

struct ProgressPace {
  double patience_s = 2;             // work that takes no longer says nothing
  double line_every_s = 10;          // between two plain lines
  double place_every_s = 0.1;        // between two texts in place
  std::function<double()> now = {};  // seconds since any moment; empty: the monotonic clock
};

// For one thread. What it has in place it erases when it goes.
class ProgressLine {
 public:
  ProgressLine(std::FILE* out, ProgressDisplay display, ProgressPace pace = {});
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  ProgressDisplay display() const { return display_; }
  // Columns that a text in place may have: those of the terminal, but for the last, where some would wrap.
  size_t width() const;

  // Shows `text` when its time has come; what is too wide is cut. Cheap otherwise.
  void show(const std::string& text);
  // A line that stays, whatever the display.
  void print(const std::string& line);
  void clear();

  // Shows "wansweep: reading attempts: 120 of 500" for whoever works; this line outlives it.
  ProgressSink sink(std::string program);

 private:
  std::FILE* out_;
  ProgressDisplay display_;
  ProgressPace pace_;
  double next_;  // when a text is shown again
  bool shown_ = false;
};

}  // namespace wansweep
