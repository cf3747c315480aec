// Reads all records of one attempt, and writes its state.

#include "orchestrator/sweep/attempt.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/optional_int.h"
#include "schema/completion.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

// Files that exist only after an attempt was started.
constexpr const char* signs_of_a_start[] = {"claim",      "job.json",       "pid.json",     "state.json",
                                            "stderr.log", "completed.json", "failure.json", "slurm.json"};

// mpirun puts its own text between lines of dashes.
bool is_frame(const std::string& line) { return line.size() >= 20 && line.find_first_not_of('-') == std::string::npos; }

std::optional<AttemptState> read_state(const std::string& directory) {
  const std::string file = directory + "/state.json";
  const std::optional<Json> json = read_json_object_if_there(file);
  if (!json) return std::nullopt;
  try {
    const std::string word = json->at("state");
    const std::optional<AttemptEnd> end = value_named<AttemptEnd>(word);
    if (!end) throw bad_input(fmt::format("{}: state is {}, which is not an end of an attempt", file, word));
    return AttemptState{*end,
                        optional_int(*json, "exit_code"),
                        optional_int(*json, "signal"),
                        json->value("started_at", ""),
                        json->value("ended_at", ""),
                        json->value("line", "")};
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not an attempt's state: {}", file, json_problem(error)));
  }
}

Attempt attempt_from(const Json& json, const std::string& directory, const std::string& file) {
  try {
    const std::string launcher = json.value("launcher", std::string(name_of(Launcher::local)));
    if (!value_named<Launcher>(launcher)) {
      throw bad_input(fmt::format("{}: launcher is {}; possible values: local, slurm", file, launcher));
    }
    return {directory,
            json.at("run"),
            json.at("config"),
            json.at("repeat"),
            json.at("attempt"),
            json.at("token"),
            *value_named<Launcher>(launcher),
            json.value("submission", ""),
            json.value("index", 0),
            std::nullopt};
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not an attempt's record: {}", file, json_problem(error)));
  }
}

// Throws bad_input when a file shows that the attempt was started although its record is missing.
void refuse_start_without_record(const std::string& directory) {
  for (const char* sign : signs_of_a_start) {
    struct stat status {};
    const std::string file = fmt::format("{}/{}", directory, sign);
    if (lstat(file.c_str(), &status) == 0) {
      throw bad_input(
          fmt::format("{}/attempt.json: is missing, but {} shows that the attempt was started", directory, sign));
    }
    if (errno != ENOENT) throw bad_input(fmt::format("{}: cannot be looked at: {}", file, error_text(errno)));
  }
}

}  // namespace

std::optional<Attempt> read_attempt(const std::string& directory) {
  const std::string file = directory + "/attempt.json";
  const std::optional<Json> json = read_json_object_if_there(file);
  if (!json) {
    refuse_start_without_record(directory);
    return std::nullopt;
  }
  Attempt attempt = attempt_from(*json, directory, file);
  const std::string folder = fmt::format("{}-a{}", attempt.run, attempt.number);
  if (std::filesystem::path(directory).filename() != folder) {
    throw bad_input(fmt::format("{}: the record is of attempt {}, not of this folder's", file, folder));
  }
  // The settings are in a record of their own: without it, nobody knows what the attempt computed.
  static_cast<void>(read_json_object_if_there(directory + "/spec.json"));
  attempt.state = read_state(directory);
  return attempt;
}

void write_state(Attempt& attempt, const AttemptState& state) {
  const auto number = [](const std::optional<int>& value) { return value ? Json(*value) : Json(nullptr); };
  Json json{{"state", name_of(state.end)},
            {"exit_code", number(state.exit_code)},
            {"signal", number(state.signal)},
            {"started_at", state.started_at},
            {"ended_at", state.ended_at}};
  if (!state.line.empty()) json["line"] = state.line;
  write_file_atomically(attempt.directory + "/state.json",
                        json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  attempt.state = state;
}

bool was_withdrawn(const Attempt& attempt) { return attempt.state && attempt.state->end == AttemptEnd::withdrawn; }

bool is_done(const Attempt& attempt) {
  return attempt.state && attempt.state->end == AttemptEnd::completed &&
         read_record(attempt.directory).word == RecordWord::whole;
}

std::string failure_line(const std::string& directory) {
  try {
    if (const auto failure = read_failure(directory)) return failure->line;
  } catch (const Error& error) {
    return error.what();
  }
  const std::string file = directory + "/stderr.log";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return "";
  std::ifstream stream(file);
  std::string worker;
  std::string last;
  std::string outside;       // the last line outside mpirun's frames
  bool only_a_code = false;  // mpirun's frame says no more than that a rank ended with an exit code
  bool in_frame = false;
  for (std::string line; std::getline(stream, line);) {
    if (is_frame(line)) in_frame = !in_frame;
    if (line.find_first_not_of("- \t") == std::string::npos) continue;
    if (line.starts_with("wansweep-worker: ")) worker = line;
    if (!in_frame) outside = line;
    only_a_code |= in_frame && line.find("non-zero ") != std::string::npos;
    last = line;
  }
  if (!worker.empty()) return worker;
  if (!only_a_code) return last;
  return outside.empty() ? "a rank ended with a non-zero exit code and printed no reason" : outside;
}

std::optional<int> worker_exit_code(const Attempt& attempt) {
  try {
    if (const auto failure = read_failure(attempt.directory)) return failure->exit_code;
  } catch (const Error&) {  // failure.json exists but cannot be read: only the launcher's exit code is left
  }
  return attempt.state ? attempt.state->exit_code : std::nullopt;
}

const ExitCodeInfo* worker_exit_meaning(const Attempt& attempt) {
  constexpr int least_own = 10;
  std::error_code unknown;
  const bool recorded = std::filesystem::exists(attempt.directory + "/failure.json", unknown);
  const int code = worker_exit_code(attempt).value_or(-1);
  return recorded || code == 0 || code >= least_own ? find_exit_code(code) : nullptr;
}

}  // namespace wansweep
