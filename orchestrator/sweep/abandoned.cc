#include "orchestrator/sweep/abandoned.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "orchestrator/sweep/attempt_outcome.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr auto grace = std::chrono::seconds(10);

// The process in pid.json; nullopt when none was started. Throws bad_input when the file cannot be read.
std::optional<ProcessIdentity> read_pid(const std::string& directory) {
  const std::string file = directory + "/pid.json";
  const std::optional<Json> json = read_json_object_if_there(file);
  if (!json) return std::nullopt;
  try {
    return ProcessIdentity{json->at("pid").get<pid_t>(), json->at("start").get<uint64_t>()};
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: does not name a process: {}", file, json_problem(error)));
  }
}

void stop(const ProcessIdentity& process) {
  const auto alive = [&] { return process_start(process.pid) == process.start; };
  const auto deadline = std::chrono::steady_clock::now() + grace;
  kill(-process.pid, SIGTERM);
  while (alive() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (alive()) kill_tree(process.pid);
}

void stop_what_is_left(const Attempt& attempt) {
  const std::optional<ProcessIdentity> process = read_pid(attempt.directory);
  switch (process ? find_process(*process, attempt_mark, attempt_mark_value(attempt.directory))
                  : ProcessFinding::gone) {
    case ProcessFinding::gone:
      return;
    case ProcessFinding::marked:
      stop(*process);
      return;
    case ProcessFinding::other:
      throw bad_input(
          fmt::format("{}/pid.json: names process {}, which runs but does not belong to this attempt as far as "
                      "wansweep can tell; the process was not stopped. If it belongs to the attempt, end it; otherwise "
                      "remove pid.json",
                      attempt.directory, process->pid));
  }
}

}  // namespace

std::string attempt_mark_value(const std::string& directory) {
  std::error_code failed;
  const fs::path path = fs::canonical(directory, failed);
  if (failed) throw bad_input(fmt::format("{}: cannot be read: {}", directory, failed.message()));
  return path.string();
}

void write_pid(const Attempt& attempt, int pid) {
  const Json json{{"pid", pid}, {"start", process_start(pid)}};
  write_file_atomically(attempt.directory + "/pid.json", json.dump() + '\n');
}

ProcessFinding find_launched(const Attempt& attempt) {
  const std::optional<ProcessIdentity> process = read_pid(attempt.directory);
  if (!process) return ProcessFinding::gone;
  return find_process(*process, attempt_mark, attempt_mark_value(attempt.directory));
}

std::optional<std::string> settle_abandoned(Attempt& attempt) {
  try {
    stop_what_is_left(attempt);
  } catch (const Error& error) {
    return error.what();
  }
  const RecordWitness record = read_record(attempt.directory);
  const std::optional<AttemptEnd> end = outcome_of({LauncherWord::none, AttemptEnd::cancelled}, record.word);
  if (!end) return record.line;
  AttemptState state;
  state.end = *end;
  state.ended_at = timestamp_now();
  if (*end != AttemptEnd::completed) state.line = "the wansweep that launched the run died before the run ended";
  write_state(attempt, state);
  return std::nullopt;
}

}  // namespace wansweep
