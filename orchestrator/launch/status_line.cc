#include "orchestrator/launch/status_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/text_table.h"

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

std::string progress_text(const Progress& progress, size_t width) {
  const std::string step =
      progress.step > 0 ? fmt::format("step {} of {}", progress.step, progress.steps) : std::string();
  const auto text = [&](const std::string& name) {
    const std::string what = name + (name.empty() || step.empty() ? "" : ", ") + step;
    return fmt::format("[{}/{}] {} done, {} running{}, {} failed{}", progress.done + progress.failed + progress.running,
                       progress.total, progress.done, progress.running, what.empty() ? "" : " (" + what + ")",
                       progress.failed,
                       progress.seconds_left < 0 ? "" : ", " + human_duration(progress.seconds_left) + " left");
  };
  std::string full = text(progress.running_name);
  if (full.size() <= width) return full;
  // The numbers matter more than the name: the name gives way first.
  const size_t over = full.size() - width + 3;
  if (over < progress.running_name.size()) {
    return text(progress.running_name.substr(0, progress.running_name.size() - over) + "...");
  }
  return text("").substr(0, width);
}

StatusLine::StatusLine(std::FILE* out) : out_(out), terminal_(is_terminal(out)) {}

void StatusLine::show(const Progress& progress) {
  if (!terminal_) return;
  const size_t width = std::max<size_t>(terminal_width(out_), 2) - 1;  // the last column would wrap on some terminals
  fmt::print(out_, "\r{}\x1b[K", progress_text(progress, width));
  std::fflush(out_);
  shown_ = true;
}

void StatusLine::print(const std::string& line) {
  clear();
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

void StatusLine::clear() {
  if (!shown_) return;
  fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
  shown_ = false;
}

}  // namespace wansweep
