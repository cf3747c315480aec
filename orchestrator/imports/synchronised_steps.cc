#include "orchestrator/imports/synchronised_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/files.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/engines/sglang_versions.h"

namespace wansweep {
namespace {

constexpr int64_t most_environment_bytes = 4096;

// The value of the variable in engine.env; nullopt when the file does not tell it.
std::optional<std::string> value_set(const std::string& attempt) {
  if (attempt.empty()) return std::nullopt;
  const std::string text =
      read_text_if_there(attempt + '/' + engine_environment_name, most_environment_bytes).value_or("");
  const std::string line = fmt::format("{}=", sync_steps_variable);
  if (!text.starts_with(line)) return std::nullopt;
  return text.substr(line.size(), text.find('\n') - line.size());
}

std::string synchronised(const RunSettings& settings, const std::string& attempt) {
  const bool known = std::ranges::find(sglang_versions, settings.engine_version) != sglang_versions.end();
  if (known && !SglangVersion(settings.engine_version).syncs_steps()) return "unsynchronised";
  if (const std::optional<std::string> value = value_set(attempt)) {
    return *value == "1" ? "synchronised" : "unsynchronised";
  }
  return fmt::format("unknown: a step ends on the device only where {}=1 was set", sync_steps_variable);
}

}  // namespace

void tell_synchronised(std::vector<EngineTrace>& files, const RunSettings& settings, const std::string& attempt) {
  for (EngineTrace& file : files) {
    if (file.kind == EngineFileKind::perf_dump) file.environment["synchronised"] = synchronised(settings, attempt);
  }
}

}  // namespace wansweep
