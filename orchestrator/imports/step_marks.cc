#include "orchestrator/imports/step_marks.h"

#include <charconv>

namespace wansweep {
namespace {

constexpr int most_steps = 10'000;

// Removes the number at the beginning of `text` and returns it; nullopt when there is none.
template <typename Number>
std::optional<Number> take_number(std::string_view& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<StepName> parse_step_name(std::string_view name) {
  StepName found;
  if (name.starts_with("denoising_step_")) {
    name.remove_prefix(std::string_view("denoising_step_").size());
  } else if (name.starts_with("ProfilerStep#")) {
    name.remove_prefix(std::string_view("ProfilerStep#").size());
    found.kind = StepName::Kind::profiler;
  } else {
    return std::nullopt;
  }
  const std::optional<int> index = take_number<int>(name);
  if (!index || *index < 0 || *index >= most_steps) return std::nullopt;
  found.step = *index + 1;
  if (name.starts_with("_t")) {
    name.remove_prefix(2);
    found.timestep = take_number<double>(name);
  }
  return name.empty() ? std::optional(found) : std::nullopt;
}

}  // namespace wansweep
