#include "orchestrator/store/find_sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <vector>

#include "orchestrator/store/query.h"

namespace wansweep {

std::string find_sweep_directory(const std::string& sweep, const std::string& database) {
  std::vector<std::string> looked_at{sweep};
  if (sweep.find('/') == sweep.npos) looked_at.push_back("out/" + sweep);
  const bool name = sweep.find_first_of("'/") == sweep.npos;
  if (name && !database.empty()) {
    Store store = open_store_readonly(database);
    const Table found = run_query(store, fmt::format("SELECT directory FROM sweep WHERE name = '{}'", sweep));
    for (const auto& row : found.rows) looked_at.push_back(std::get<std::string>(row[0]));
  }
  for (const std::string& directory : looked_at) {
    if (std::filesystem::is_regular_file(directory + "/sweep.json")) return directory;
  }
  throw bad_input(fmt::format("{}: no such sweep; looked for sweep.json in {}", sweep, fmt::join(looked_at, ", ")));
}

std::string database_file(const std::string& path) {
  return std::filesystem::is_directory(path) ? (std::filesystem::path(path) / "results.db").string() : path;
}

}  // namespace wansweep
