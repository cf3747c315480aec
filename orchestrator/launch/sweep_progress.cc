#include "orchestrator/launch/sweep_progress.h"

#include <fmt/format.h>

#include "base/text_table.h"

namespace wansweep {

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
  // The name is shortened first, since the numbers matter more.
  const size_t over = full.size() - width + 3;
  if (over < progress.running_name.size()) {
    return text(progress.running_name.substr(0, progress.running_name.size() - over) + "...");
  }
  return text("").substr(0, width);
}

}  // namespace wansweep
