#include "orchestrator/store/lineage.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "orchestrator/store/write_attempt.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string normal(const fs::path& path) {
  std::string text = fs::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

Json to_json(const RunKey& key) { return {{"run", key.run}, {"config", key.config}, {"repeat", key.repeat}}; }

RunKey key_from(const Json& json) { return {json.at("run"), json.at("config"), json.at("repeat")}; }

void write_record(const std::string& file, const Lineage& lineage) {
  const std::string of_directory = normal(lineage.of_directory);
  const std::string directory = normal(lineage.directory);
  Json runs = Json::array();
  for (const ReplacedRun& run : lineage.runs) {
    runs.push_back({{"before", to_json(run.before)}, {"after", to_json(run.after)}});
  }
  const Json json{{"sweep", lineage.sweep},
                  {"directory_from_of", fs::path(directory).lexically_relative(of_directory).string()},
                  {"of", lineage.of},
                  {"of_directory_from_sweep", fs::path(of_directory).lexically_relative(directory).string()},
                  {"changes", lineage.changes},
                  {"where", lineage.where},
                  {"reason", lineage.reason},
                  {"made_at", lineage.made_at},
                  {"runs", std::move(runs)}};
  std::error_code failed;
  fs::create_directories(fs::path(file).parent_path(), failed);
  if (failed) throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, failed.message()));
  write_file_atomically(file, json.dump(2) + '\n');
}

Lineage read_record(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  try {
    const Json json = Json::parse(stream);
    Lineage lineage;
    lineage.sweep = json.at("sweep");
    lineage.directory = json.at("directory_from_of");
    lineage.of = json.at("of");
    lineage.of_directory = json.at("of_directory_from_sweep");
    lineage.changes = json.at("changes").get<std::vector<std::string>>();
    lineage.where = json.at("where");
    lineage.reason = json.at("reason");
    lineage.made_at = json.at("made_at");
    for (const Json& run : json.at("runs")) {
      lineage.runs.push_back({key_from(run.at("before")), key_from(run.at("after"))});
    }
    return lineage;
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a record of a rerun: {}", file, error.what()));
  }
}

int64_t find_or_add_named_sweep(Store& store, const std::string& name, const std::string& directory) {
  SQLite::Statement insert(store.db, "INSERT INTO sweep (name, directory) VALUES (?, ?) ON CONFLICT (name) DO NOTHING");
  insert.bind(1, name);
  insert.bind(2, directory);
  insert.exec();
  SQLite::Statement find(store.db, "SELECT id FROM sweep WHERE name = ?");
  find.bind(1, name);
  find.executeStep();
  return find.getColumn(0).getInt64();
}

void write_lineage_rows(Store& store, const Lineage& lineage) {
  SQLite::Transaction transaction(store.db, SQLite::TransactionBehavior::IMMEDIATE);
  const int64_t before = find_or_add_named_sweep(store, lineage.of, lineage.of_directory);
  const int64_t after = find_or_add_named_sweep(store, lineage.sweep, lineage.directory);
  SQLite::Statement rerun(store.db, "INSERT INTO rerun VALUES (?, ?, ?, ?, ?) ON CONFLICT (sweep_id) DO NOTHING");
  rerun.bind(1, after);
  rerun.bind(2, before);
  rerun.bind(3, fmt::format("{}", fmt::join(lineage.changes, ", ")));
  rerun.bind(4, lineage.reason);
  rerun.bind(5, lineage.made_at);
  rerun.exec();
  SQLite::Statement supersede(store.db, "UPDATE run SET superseded_by = ? WHERE id = ? AND superseded_by IS NULL");
  for (const ReplacedRun& run : lineage.runs) {
    const int64_t old_run = find_or_add_run(store, before, run.before.run, run.before.config, run.before.repeat);
    supersede.bind(1, find_or_add_run(store, after, run.after.run, run.after.config, run.after.repeat));
    supersede.bind(2, old_run);
    supersede.exec();
    supersede.reset();
  }
  transaction.commit();
}

}  // namespace

void write_lineage_of_new(const std::string& directory, const Lineage& lineage) {
  write_record(directory + "/lineage.json", lineage);
}

void write_lineage_of_old(const std::string& directory, const Lineage& lineage) {
  write_record(fmt::format("{}/reruns/{}.json", directory, lineage.sweep), lineage);
}

std::vector<Lineage> read_lineage_of_new(const std::string& directory) {
  const std::string file = directory + "/lineage.json";
  if (!fs::exists(file)) return {};
  Lineage lineage = read_record(file);
  lineage.directory = normal(directory);
  lineage.of_directory = normal(fs::path(directory) / lineage.of_directory);
  return {lineage};
}

std::vector<Lineage> read_lineage_of_old(const std::string& directory) {
  std::vector<Lineage> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory + "/reruns", none)) {
    if (entry.path().extension() != ".json") continue;
    Lineage lineage = read_record(entry.path().string());
    lineage.of_directory = normal(directory);
    lineage.directory = normal(fs::path(directory) / lineage.directory);
    all.push_back(std::move(lineage));
  }
  std::sort(all.begin(), all.end(), [](const Lineage& a, const Lineage& b) {
    return std::tie(a.made_at, a.sweep) < std::tie(b.made_at, b.sweep);
  });
  return all;
}

std::vector<std::string> with_reruns(const std::string& directory) {
  std::vector<std::string> all{directory};
  for (size_t i = 0; i < all.size(); ++i) {
    for (const Lineage& lineage : read_lineage_of_old(all[i])) {
      const bool known = std::find(all.begin(), all.end(), lineage.directory) != all.end();
      if (!known && fs::is_directory(lineage.directory)) all.push_back(lineage.directory);
    }
  }
  return all;
}

void gather_lineage(Store& store, const std::string& directory, std::vector<std::string>& problems) {
  try {
    for (const Lineage& lineage : read_lineage_of_new(directory)) write_lineage_rows(store, lineage);
    for (const Lineage& lineage : read_lineage_of_old(directory)) write_lineage_rows(store, lineage);
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_input) throw;
    problems.emplace_back(error.what());
  }
}

}  // namespace wansweep
