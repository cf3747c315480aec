#include "orchestrator/imports/script_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/files.h"
#include "orchestrator/engines/engine.h"
#include "orchestrator/engines/sglang_versions.h"

namespace wansweep {
namespace {

constexpr int64_t most_environment_bytes = 4096;

// The value of a name in engine.env; nullopt when the file does not tell it.
std::optional<std::string> value_set(const std::string& attempt, const std::string& name) {
  if (attempt.empty()) return std::nullopt;
  std::istringstream lines(
      read_text_if_there(attempt + '/' + engine_environment_name, most_environment_bytes).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + '=')) return line.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::string synchronised(const RunSettings& settings, const std::string& attempt) {
  const bool known = std::ranges::find(sglang_versions, settings.engine_version) != sglang_versions.end();
  if (known && !SglangVersion(settings.engine_version).syncs_steps()) return "unsynchronised";
  if (const std::optional<std::string> value = value_set(attempt, sync_steps_variable)) {
    return *value == "1" ? "synchronised" : "unsynchronised";
  }
  return fmt::format("unknown: a step ends on the device only where {}=1 was set", sync_steps_variable);
}

}  // namespace

void tell_environment(std::vector<EngineTrace>& files, const RunSettings& settings, const std::string& attempt) {
  const std::optional<std::string> release = value_set(attempt, sglang_release_name);
  for (EngineTrace& file : files) {
    if (file.kind != EngineFileKind::perf_dump) continue;
    file.environment["synchronised"] = synchronised(settings, attempt);
    if (release) file.environment[sglang_release_name] = *release;
  }
}

}  // namespace wansweep
