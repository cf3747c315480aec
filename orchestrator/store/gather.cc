// Several readers turn attempts into rows, and one writer writes them to the database, one transaction for each
// attempt: most of the work is reading and summing, and SQLite allows only one writer anyway. Attempts with an
// unchanged fingerprint are not read.
//
// A bad entry in attempts/ (not a directory, not readable, malformed) gives one line in the report and does not stop
// the others. Only a fault of the database itself ends a gather (full, locked, damaged).

#include "orchestrator/store/gather.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/sha256.h"
#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/lineage.h"
#include "orchestrator/store/predictions.h"
#include "orchestrator/store/write_attempt.h"
#include "orchestrator/sweep/attempt_state.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// A later import of a run, with the configs that earlier ones had.
struct Replacement {
  std::string run;
  int64_t number = 0;
  std::vector<std::string> configs;
};

// The queue of attempts between readers and writer. It is short, since one attempt may be a gigabyte.
class Pipe {
 public:
  explicit Pipe(std::vector<AttemptRecords> work, size_t readers) : work_(std::move(work)), space_(readers) {
    for (size_t i = 0; i < readers; ++i) threads_.emplace_back([this] { read(); });
  }
  ~Pipe() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // The next attempt; nullopt after the last.
  std::optional<AttemptRows> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !done_.empty() || given_ == work_.size(); });
    if (done_.empty()) return std::nullopt;
    AttemptRows rows = std::move(done_.front());
    done_.pop_front();
    ++given_;
    lock.unlock();
    changed_.notify_all();
    return rows;
  }

 private:
  void read() {
    for (;;) {
      AttemptRecords records;
      {
        const std::lock_guard lock(mutex_);
        if (stopped_ || taken_ == work_.size()) return;
        records = std::move(work_[taken_++]);
      }
      AttemptRows rows;
      try {
        rows = read_attempt_rows(records);
      } catch (const std::exception& error) {  // out of memory, or a disk that fails
        rows = {};
        rows.records = std::move(records);
        rows.problem = fmt::format("{}: {}", rows.records.directory, error.what());
        rows.problems.push_back(rows.problem);
      }
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || done_.size() < space_; });
      done_.push_back(std::move(rows));
      lock.unlock();
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AttemptRecords> work_;
  size_t space_;
  size_t taken_ = 0;
  size_t given_ = 0;
  bool stopped_ = false;
  std::deque<AttemptRows> done_;
  std::vector<std::thread> threads_;
};

// An entry of attempts/ that is not a directory gets a line, unless its name begins with a dot.
std::vector<std::string> attempt_directories(const std::string& sweep_dir, std::vector<std::string>& problems) {
  const fs::path parent = fs::path(sweep_dir) / "attempts";
  std::error_code failed;
  std::vector<std::string> directories;
  for (fs::directory_iterator entry(parent, failed), end; !failed && entry != end; entry.increment(failed)) {
    const fs::path path = fs::absolute(entry->path()).lexically_normal();
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      directories.push_back(path.string());
    } else if (!path.filename().string().starts_with(".")) {
      problems.push_back(fmt::format(
          "{}: {}", path.string(),
          unknown ? fmt::format("cannot be read: {}", unknown.message()) : "is not the directory of an attempt"));
    }
  }
  if (failed) throw bad_input(fmt::format("{}: cannot be listed: {}", parent.string(), failed.message()));
  std::sort(directories.begin(), directories.end());
  return directories;
}

int64_t find_or_add_sweep(Store& store, const std::string& name, const std::string& directory) {
  SQLite::Statement insert(store.db,
                           "INSERT INTO sweep (name, directory) VALUES (?, ?) "
                           "ON CONFLICT (name) DO UPDATE SET directory = excluded.directory RETURNING id");
  insert.bind(1, name);
  insert.bind(2, directory);
  insert.executeStep();
  return insert.getColumn(0).getInt64();
}

// Refuses a second sweep of the same name, since the database could not tell their runs apart. A sweep that was moved,
// or a database that was copied together with its sweep's directory, is the same sweep.
void refuse_namesake(Store& store, const std::string& directory) {
  std::string name;
  try {
    const auto record = read_json_object_if_there(directory + "/sweep.json");
    if (!record) return;
    name = record->value("sweep", "");
  } catch (const std::exception&) {
    return;  // write_sweep says what is wrong with it
  }
  SQLite::Statement query(store.db, "SELECT directory FROM sweep WHERE name = ?");
  query.bind(1, name);
  if (!query.executeStep()) return;
  const std::string known = query.getColumn(0).getString();
  std::error_code unknown;
  if (known == directory || fs::equivalent(known, directory, unknown)) return;
  if (fs::equivalent(fs::absolute(store.path).parent_path(), directory, unknown)) return;
  try {
    const auto record = read_json_object_if_there(known + "/sweep.json");
    if (!record || record->value("sweep", "") != name) return;
  } catch (const std::exception&) {
    return;  // no readable record there, so the two sweeps cannot be confused
  }
  throw bad_input(fmt::format(
      "{}: holds sweep {} from {}, and {} is another sweep of that name: gather it into a database of its own",
      store.path, name, known, directory));
}

// Adds all runs of the matrix, so that runs that never started are shown too. A sweep without sweep.json is possible.
void write_sweep(Store& store, const std::string& directory, std::vector<std::string>& problems) {
  const std::string file = directory + "/sweep.json";
  std::optional<Json> sweep;
  try {
    sweep = read_json_object_if_there(file);
    if (!sweep) return;
    SQLite::Transaction transaction(store.db, SQLite::TransactionBehavior::IMMEDIATE);
    const int64_t id = find_or_add_sweep(store, sweep->at("sweep"), directory);
    SQLite::Statement update(store.db, "UPDATE sweep SET file = ?, matrix = ? WHERE id = ?");
    update.bind(1, sweep->value("file", ""));
    update.bind(2, sweep->value("matrix", ""));
    update.bind(3, id);
    update.exec();
    for (const Json& run : sweep->at("runs")) {
      find_or_add_run(store, id, run.at("run"), run.at("config"), run.at("repeat"));
    }
    transaction.commit();
  } catch (const Json::exception& error) {
    problems.push_back(fmt::format("{}: is not a sweep record: {}", file, json_problem(error)));
  } catch (const Error& error) {
    const std::string line = error.what();
    problems.push_back(line.starts_with(file) ? line : fmt::format("{}: {}", file, line));
  }
}

// Leaves out imports that a later one of their run replaced: the run has the settings of the later one. Returns how
// many.
size_t leave_out_replaced(std::vector<AttemptRecords>& work, const std::vector<Replacement>& replacements) {
  return std::erase_if(work, [&](const AttemptRecords& one) {
    return std::ranges::any_of(replacements, [&](const Replacement& by) {
      return by.run == one.run && by.number > one.number &&
             std::ranges::find(by.configs, one.config) != by.configs.end();
    });
  });
}

// The tokens of scripts that `wansweep generate` wrote and nobody has submitted, as far as the files tell.
std::set<std::string> generated_scripts(const std::string& directory, std::vector<std::string>& problems) {
  std::set<std::string> tokens;
  try {
    for (const Submission& submission : read_submissions(directory).known) {
      if (is_only_generated(submission)) tokens.insert(submission.token);
    }
  } catch (const Error& error) {
    problems.emplace_back(error.what());
  }
  return tokens;
}

// An attempt that has neither run nor been submitted is neither running nor lost.
void tell_generated(AttemptRecords& records, const std::set<std::string>& scripts) {
  if (records.state || !records.traces.empty() || !records.slurm) return;
  if (!scripts.contains(records.slurm->submission)) return;
  records.state = name_of(RunStanding::generated);
  records.line = fmt::format(
      "no job of its script has started; unless one waits in a queue, submit it: sbatch submissions/{}/job.sh",
      records.slurm->submission);
  records.fingerprint = sha256(records.fingerprint + records.line);  // another one once it was submitted
}

std::map<std::string, int64_t> stored_fingerprints(Store& store) {
  std::map<std::string, int64_t> fingerprints;
  SQLite::Statement query(store.db, "SELECT fingerprint || directory, id FROM attempt WHERE fingerprint <> ''");
  while (query.executeStep()) fingerprints[query.getColumn(0).getString()] = query.getColumn(1).getInt64();
  return fingerprints;
}

void write_one(Store& store, const std::string& directory, const AttemptRows& rows, GatherReport& report) {
  try {
    const int64_t sweep = find_or_add_sweep(store, rows.records.sweep, directory);
    const Written written = write_attempt(store, sweep, rows);
    if (!written.problem.empty()) report.problems.push_back(written.problem);
    if (written.outcome == Outcome::added) ++report.added;
    if (written.outcome == Outcome::replaced) ++report.replaced;
    if (written.outcome == Outcome::unchanged) ++report.unchanged;
    if (written.outcome == Outcome::kept) ++report.kept;
    if (written.outcome != Outcome::added && written.outcome != Outcome::replaced) return;
    ++(rows.complete ? report.complete : report.incomplete);
    for (const auto& [rank, one] : rows.ranks) report.events += static_cast<int64_t>(one.trace.rows.events.size());
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_input) throw;
    ++report.kept;
    report.problems.push_back(fmt::format("{}: {}", rows.records.directory, error.what()));
  }
}

}  // namespace

void refuse_without_attempts(const std::string& directory) {
  std::error_code unknown;
  if (fs::exists(fs::path(directory) / "attempts", unknown) || unknown) return;
  if (!fs::exists(directory, unknown) && !unknown) throw bad_input(fmt::format("{}: no such directory", directory));
  throw bad_input(
      fmt::format("{}: is not a sweep's directory (it has no attempts/); give the directory of `wansweep run`, "
                  "`submit` or `import`",
                  directory));
}

GatherReport gather(const std::string& sweep_dir, Store& store, const GatherOptions& options) try {
  const auto begin = std::chrono::steady_clock::now();
  GatherReport report;
  refuse_without_attempts(sweep_dir);
  const std::vector<std::string> directories = attempt_directories(sweep_dir, report.problems);
  const std::string directory = absolute_directory(sweep_dir);
  refuse_namesake(store, directory);
  write_sweep(store, directory, report.problems);
  gather_lineage(store, directory, report.problems);
  const std::map<std::string, int64_t> known = stored_fingerprints(store);

  const std::set<std::string> scripts = generated_scripts(directory, report.problems);
  std::vector<AttemptRecords> work;
  std::vector<Replacement> replacements;
  std::map<std::string, std::string> unreadable;  // what is wrong, by directory
  const auto say = [&](std::string_view what, size_t done, size_t all) {
    if (options.progress) options.progress(what, done, all);
  };
  for (size_t i = 0; i < directories.size(); ++i) {
    const std::string& one = directories[i];
    say("looking at attempts", i, directories.size());
    try {
      std::optional<AttemptRecords> records = read_attempt_records(one);
      if (!records) continue;
      ++report.attempts;
      tell_generated(*records, scripts);
      if (!records->replaces.empty()) replacements.push_back({records->run, records->number, records->replaces});
      if (known.contains(records->fingerprint + one)) {
        ++report.unchanged;
      } else {
        work.push_back(std::move(*records));
      }
    } catch (const std::exception& error) {
      report.problems.emplace_back(error.what());
      unreadable.emplace(one, error.what());
    }
  }
  write_unreadable_attempts(store, directory, unreadable);
  report.left_out = static_cast<int>(leave_out_replaced(work, replacements));
  {
    const size_t readers = std::min(work.size(), static_cast<size_t>(std::max(1, options.readers)));
    const size_t all = work.size();
    size_t read = 0;
    Pipe pipe(std::move(work), readers);
    say("reading attempts", read, all);
    while (std::optional<AttemptRows> rows = pipe.next()) {
      report.problems.insert(report.problems.end(), rows->problems.begin(), rows->problems.end());
      report.notes.insert(report.notes.end(), rows->notes.begin(), rows->notes.end());
      write_one(store, directory, *rows, report);
      say("reading attempts", ++read, all);
    }
  }
  gather_predictions(store, directory, report.problems);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
} catch (const SQLite::Exception& exception) {
  throw store_error(store.path, exception);
}

}  // namespace wansweep
