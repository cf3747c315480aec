#include "orchestrator/store/find_sweep.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <vector>

#include "orchestrator/sweep/sweep_directory.h"

namespace wansweep {

namespace fs = std::filesystem;

std::string find_sweep_directory(const std::string& sweep, const std::string& database) {
  std::vector<std::string> looked_at{sweep};
  if (sweep.find('/') == sweep.npos) {
    if (!database.empty()) {
      Store store = open_store_readonly(database);
      if (const auto directory = stored_directory(store, sweep)) looked_at.push_back(*directory);
    }
    looked_at.push_back("out/" + sweep);
  }
  for (const std::string& directory : looked_at) {
    std::error_code unknown;
    if (fs::is_regular_file(directory + "/sweep.json", unknown)) return directory;
  }
  for (const std::string& directory : looked_at) refuse_imports(directory);
  throw bad_input(fmt::format("{}: no such sweep; looked for sweep.json in {}", sweep, fmt::join(looked_at, ", ")));
}

std::string database_file(const std::string& path) {
  std::error_code unknown;
  return fs::is_directory(path, unknown) ? (fs::path(path) / "results.db").string() : path;
}

std::string absolute_directory(const std::string& directory) {
  std::string text = fs::absolute(directory).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::vector<std::string> stored_sweeps(Store& store) try {
  std::vector<std::string> names;
  SQLite::Statement query(store.db, "SELECT name FROM sweep ORDER BY name");
  while (query.executeStep()) names.push_back(query.getColumn(0).getString());
  return names;
} catch (const SQLite::Exception& exception) {
  throw store_error(store.path, exception);
}

std::optional<std::string> stored_directory(Store& store, const std::string& name) try {
  SQLite::Statement query(store.db, "SELECT directory FROM sweep WHERE name = ?");
  query.bind(1, name);
  return query.executeStep() ? std::optional(query.getColumn(0).getString()) : std::nullopt;
} catch (const SQLite::Exception& exception) {
  throw store_error(store.path, exception);
}

}  // namespace wansweep
