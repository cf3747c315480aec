#include "base/terminal/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/clock.h"

namespace wansweep {
namespace {

constexpr size_t default_width = 80;

size_t terminal_width(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return default_width;
  return size.ws_col;
}

bool is_terminal(std::FILE* out) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(out)) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

ProgressDisplay progress_display(std::FILE* out, bool quiet) {
  if (quiet) return ProgressDisplay::none;
  return is_terminal(out) ? ProgressDisplay::in_place : ProgressDisplay::lines;
}

ProgressLine::ProgressLine(std::FILE* out, ProgressDisplay display, ProgressPace pace)
    : out_(out), display_(display), pace_(std::move(pace)) {
  if (!pace_.now) pace_.now = [] { return static_cast<double>(monotonic_ns()) / 1e9; };
  next_ = pace_.now() + pace_.patience_s;
}

size_t ProgressLine::width() const { return std::max<size_t>(terminal_width(out_), 2) - 1; }

void ProgressLine::show(const std::string& text) {
  if (display_ == ProgressDisplay::none) return;
  const double now = pace_.now();
  if (now < next_) return;
  if (display_ == ProgressDisplay::lines) {
    next_ = now + pace_.line_every_s;
    write(text + "\n");
  } else {
    next_ = now + pace_.place_every_s;
    write(fmt::format("\r{}\x1b[K", text.substr(0, width())));
    shown_ = true;
  }
}

void ProgressLine::print(const std::string& line) {
  clear();
  write(line + "\n");
}

void ProgressLine::clear() {
  if (!shown_) return;
  write("\r\x1b[K");
  shown_ = false;
}

// Does not throw, and so ends neither the work nor, from the destructor, the program. The stream keeps the failure.
void ProgressLine::write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

ProgressSink ProgressLine::sink(std::string program) {
  if (display_ == ProgressDisplay::none) return [](std::string_view, size_t, size_t) {};
  return [this, program = std::move(program)](std::string_view what, size_t done, size_t all) {
    show(fmt::format("{}: {}: {} of {}", program, what, done, all));
  };
}

}  // namespace wansweep
