// The records are separate files beside the sweeps, so that a correction changes nothing of the old sweep; the database
// only copies them. Directories are stored relative to each other, and made absolute when they are read.

#include "orchestrator/store/lineage.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/write_attempt.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json to_json(const RunKey& key) { return {{"run", key.run}, {"config", key.config}, {"repeat", key.repeat}}; }

RunKey key_from(const Json& json) { return {json.at("run"), json.at("config"), json.at("repeat")}; }

// A name that is no UTF-8 cannot be kept in JSON, and a name that is nearly right would lead elsewhere.
std::string dumped(const std::string& file, const Json& json) {
  try {
    return json.dump(2) + '\n';
  } catch (const Json::exception&) {
    throw bad_input(fmt::format("{}: the names of the sweeps' directories must be valid UTF-8", file));
  }
}

void write_record(const std::string& file, const Lineage& lineage) {
  const std::string of_directory = absolute_directory(lineage.of_directory);
  const std::string directory = absolute_directory(lineage.directory);
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
  write_file_atomically(file, dumped(file, json));
}

Lineage lineage_from(const Json& json, const std::string& file) {
  try {
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
    throw bad_input(fmt::format("{}: is not the record of a rerun: {}", file, json_problem(error)));
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

// Those that can be read, oldest first; a line for each of the others.
std::vector<Lineage> readable_lineage_of_old(const std::string& directory, std::vector<std::string>& problems) {
  std::vector<Lineage> all;
  std::error_code failed;
  fs::directory_iterator entry(directory + "/reruns", failed);
  for (const fs::directory_iterator end; !failed && entry != end; entry.increment(failed)) {
    const std::string file = entry->path().string();
    if (!file.ends_with(".json")) continue;
    try {
      Lineage lineage = lineage_from(read_json_object(file), file);
      lineage.of_directory = absolute_directory(directory);
      lineage.directory = absolute_directory((fs::path(directory) / lineage.directory).string());
      all.push_back(std::move(lineage));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    problems.push_back(fmt::format("{}/reruns: cannot be read: {}", directory, failed.message()));
  }
  std::sort(all.begin(), all.end(), [](const Lineage& a, const Lineage& b) {
    return std::tie(a.made_at, a.sweep) < std::tie(b.made_at, b.sweep);
  });
  return all;
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
  const std::optional<Json> record = read_json_object_if_there(file);
  if (!record) return {};
  Lineage lineage = lineage_from(*record, file);
  lineage.directory = absolute_directory(directory);
  lineage.of_directory = absolute_directory((fs::path(directory) / lineage.of_directory).string());
  return {lineage};
}

std::vector<Lineage> read_lineage_of_old(const std::string& directory) {
  std::vector<std::string> problems;
  std::vector<Lineage> all = readable_lineage_of_old(directory, problems);
  if (!problems.empty()) throw bad_input(problems.front());
  return all;
}

std::vector<std::string> with_reruns(const std::string& directory) {
  std::vector<std::string> all{directory};
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<std::string> said_elsewhere;
    for (const Lineage& lineage : readable_lineage_of_old(all[i], said_elsewhere)) {
      const bool known = std::find(all.begin(), all.end(), lineage.directory) != all.end();
      std::error_code unknown;
      if (!known && fs::is_directory(lineage.directory, unknown)) all.push_back(lineage.directory);
    }
  }
  return all;
}

void gather_lineage(Store& store, const std::string& directory, std::vector<std::string>& problems) {
  const auto write = [&](const std::vector<Lineage>& all) {
    for (const Lineage& lineage : all) {
      try {
        write_lineage_rows(store, lineage);
      } catch (const Error& error) {
        if (error.code() != ExitCode::bad_input) throw;
        problems.emplace_back(error.what());
      }
    }
  };
  try {
    write(read_lineage_of_new(directory));
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_input) throw;
    problems.emplace_back(error.what());
  }
  write(readable_lineage_of_old(directory, problems));
}

}  // namespace wansweep
