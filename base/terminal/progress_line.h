// Shows how far a piece of work is: on a terminal as one line that is rewritten in place, elsewhere as a plain line now
// and then.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace wansweep {

// Long work calls this as often as it likes. It passes what it does ("reading attempts"), how many items are done, and
// how many there are.
using ProgressSink = std::function<void(std::string_view what, size_t done, size_t all)>;

enum class ProgressDisplay : uint8_t {
  none,      // nothing at all
  lines,     // plain lines, for a log, a pipe, or a terminal that cannot erase
  in_place,  // one line on a terminal, rewritten in place
};

// The display that suits `out`; none when `quiet`.
ProgressDisplay progress_display(std::FILE* out, bool quiet = false);

struct ProgressPace {
  double patience_s = 2;             // nothing is shown before the work has taken this long
  double line_every_s = 10;          // between two plain lines
  double place_every_s = 0.1;        // between two texts in place
  std::function<double()> now = {};  // seconds since any moment; empty: the monotonic clock
};

// Used by one thread. The destructor erases what is shown in place. A text that cannot be written is lost, and the work
// goes on; for standard output, finish_standard_output() then reports it at the end.
class ProgressLine {
 public:
  ProgressLine(std::FILE* out, ProgressDisplay display, ProgressPace pace = {});
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  ProgressDisplay display() const { return display_; }
  // The most columns that a text in place may have: one less than the terminal has, since some terminals wrap after the
  // last one.
  size_t width() const;

  // Shows `text`, cut to width(), if enough time has passed since the last text; otherwise returns at once.
  void show(const std::string& text);
  // Prints a line that stays, in every display.
  void print(const std::string& line);
  void clear();

  // A sink that shows lines such as "wansweep: reading attempts: 120 of 500". This object must outlive it.
  ProgressSink sink(std::string program);

 private:
  void write(std::string_view text);

  std::FILE* out_;
  ProgressDisplay display_;
  ProgressPace pace_;
  double next_;  // when a text is shown again
  bool shown_ = false;
};

}  // namespace wansweep
