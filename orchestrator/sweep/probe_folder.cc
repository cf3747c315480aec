#include "orchestrator/sweep/probe_folder.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/json.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

bool is_probe(const std::string& attempt) {
  try {
    const std::optional<nlohmann::json> spec = read_json_object_if_there(attempt + "/spec.json");
    return spec && spec->contains("probe");
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void refuse_probes(const std::string& sweep_directory) {
  std::error_code failed;
  const fs::directory_iterator first(sweep_directory + "/attempts", failed);
  if (failed || first == fs::directory_iterator() || !is_probe(first->path().string())) return;
  throw bad_input(
      fmt::format("{}: is a probe of a machine, no sweep; what it measured is in machines/NAME.toml, and "
                  "`wansweep probe` measures again",
                  sweep_directory));
}

}  // namespace wansweep
