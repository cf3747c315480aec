#include "orchestrator/launch/steps_done.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "schema/trace_file.h"

namespace wansweep {

std::optional<StepsDone> steps_done(const std::string& attempt_directory) {
  const std::filesystem::path file = std::filesystem::path(attempt_directory) / trace_file_name(0);
  try {
    const std::vector<StepRow> steps = read_trace_steps(file.string());
    if (steps.empty()) return std::nullopt;
    std::vector<double> seconds;
    seconds.reserve(steps.size());
    for (const StepRow& step : steps) seconds.push_back(static_cast<double>(step.end_ns - step.start_ns) / 1e9);
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::ranges::nth_element(seconds, middle);
    return StepsDone{steps.back().step, *middle};
  } catch (const Error&) {
    return std::nullopt;  // the trace does not exist yet, or is being written
  }
}

}  // namespace wansweep
