// attempts/ is listed once, for all questions, and for the numbers of new attempts: listing the folder again for each
// of 10,000 attempts took longer than running them.

#include "orchestrator/sweep/attempt_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t most_digits = 9;  // digits of an attempt's number
// Syncing the whole file system also waits for other programs' data, so a few files are synced one by one.
constexpr size_t most_synced_singly = 16;

// Whether `a` tells more about its run than `b`: an attempt that ran beats one that did not, then the newer one wins.
bool is_newer(const Attempt& a, const Attempt& b) {
  return std::pair(!was_withdrawn(a), a.number) > std::pair(!was_withdrawn(b), b.number);
}

void make_folder(const std::string& directory) {
  std::error_code failed;
  if (fs::create_directory(directory, failed)) return;
  throw Error(ExitCode::output, fmt::format("{}: directory cannot be created: {}", directory,
                                            failed ? failed.message() : "it exists already"));
}

}  // namespace

std::optional<AttemptName> parse_attempt_name(std::string_view folder) {
  const size_t mark = folder.rfind("-a");
  if (mark == folder.npos || mark == 0) return std::nullopt;
  const std::string_view digits = folder.substr(mark + 2);
  const bool number =
      !digits.empty() && digits.size() <= most_digits && digits.find_first_not_of("0123456789") == digits.npos;
  if (!number) return std::nullopt;
  return AttemptName{std::string(folder.substr(0, mark)), std::stoi(std::string(digits))};
}

AttemptFolder::AttemptFolder(const std::string& sweep_directory) : directory_(sweep_directory + "/attempts") {
  std::error_code failed;
  fs::directory_iterator entry(directory_, failed);
  if (failed == std::errc::no_such_file_or_directory) return;
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    read_entry(entry->path().string(), name);
  }
  if (failed) {
    throw bad_input(
        fmt::format("{}: cannot be listed: {}; the sweep's attempts are unknown", directory_, failed.message()));
  }
}

const Attempt* AttemptFolder::newest_of(const std::string& run) const {
  const auto found = newest_.find(run);
  return found != newest_.end() ? &found->second : nullptr;
}

const std::string* AttemptFolder::block_of(const std::string& run) const {
  const auto found = blocks_.find(run);
  return found != blocks_.end() ? &found->second : nullptr;
}

void AttemptFolder::read_entry(const std::string& directory, const std::string& name) {
  const std::optional<AttemptName> called = parse_attempt_name(name);
  if (called) {
    int& last = last_number_[called->run];
    last = std::max(last, called->number);
  }
  std::error_code failed;
  const fs::file_type type = fs::status(directory, failed).type();
  if (type != fs::file_type::directory && type != fs::file_type::none) {  // none: its attributes cannot be read
    add_problem(called ? called->run : "",
                fmt::format("{}: is not a folder and so not an attempt{}", directory,
                            called ? ", although its name is that of one" : "; it is ignored"));
    return;
  }
  try {
    std::optional<Attempt> attempt = read_attempt(directory);
    if (!attempt) return;
    Attempt& known = newest_[attempt->run];
    if (known.number == 0 || is_newer(*attempt, known)) known = std::move(*attempt);
  } catch (const Error& error) {
    add_problem(called ? called->run : "", error.what());
  }
}

void AttemptFolder::add_problem(const std::string& run, const std::string& line) {
  if (run.empty()) {
    problems_.push_back(line);
    return;
  }
  problems_.push_back(fmt::format(
      "{}; run {} is left alone: repair the record, or move the folder away when nothing of the attempt runs", line,
      printable(run)));
  blocks_.emplace(run, problems_.back());
}

Attempt AttemptFolder::create(const std::string& sweep, const PlannedConfiguration& configuration, int repeat,
                              const std::optional<SubmissionPlace>& place) {
  Attempt attempt;
  attempt.run = run_name(configuration, repeat);
  if (const std::string* block = block_of(attempt.run)) throw bad_input(*block);
  attempt.config = configuration.hash;
  attempt.repeat = repeat;
  attempt.number = ++last_number_[attempt.run];
  attempt.token =
      fmt::format("{}-{}-{}-a{}", sha256(sweep).substr(0, 8), configuration.hash.substr(0, 8), repeat, attempt.number);
  attempt.directory = fmt::format("{}/{}-a{}", directory_, attempt.run, attempt.number);
  attempt.launcher = place ? Launcher::slurm : Launcher::local;
  make_folder(attempt.directory);
  Json spec = to_json(configuration.spec);
  if (configuration.run) spec["plan"] = plan_to_json(*configuration.run);
  if (!configuration.probe.empty()) spec["probe"] = Json::parse(configuration.probe);
  write_new_file(attempt.directory + "/spec.json", spec.dump(2) + '\n');
  Json json{{"sweep", sweep},
            {"run", attempt.run},
            {"config", attempt.config},
            {"repeat", repeat},
            {"attempt", attempt.number},
            {"token", attempt.token},
            {"launcher", name_of(attempt.launcher)}};
  if (place) {
    attempt.submission = place->token;
    json["submission"] = place->token;
    attempt.index = place->index;
    json["index"] = place->index;
    if (!place->worker_sha256.empty()) json["worker_sha256"] = place->worker_sha256;
  }
  write_new_file(attempt.directory + "/attempt.json", json.dump(2) + '\n');
  return attempt;
}

void AttemptFolder::sync(const std::vector<Attempt>& created) const {
  if (created.size() > most_synced_singly) return sync_file_system(directory_);
  for (const Attempt& attempt : created) {
    for (const char* file : {"/spec.json", "/attempt.json"}) sync_file(attempt.directory + file);
    sync_directory(attempt.directory);
  }
  sync_directory(directory_);
}

}  // namespace wansweep
