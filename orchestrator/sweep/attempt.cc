#include "orchestrator/sweep/attempt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "base/sha256.h"
#include "orchestrator/sweep/optional_int.h"
#include "schema/completion.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr auto abandoned_grace = std::chrono::seconds(10);

// Discarded when the file is missing or no JSON object.
Json read_object(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Json(Json::value_t::discarded);
  Json json = Json::parse(stream, nullptr, false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

std::optional<AttemptState> read_state(const std::string& directory) {
  const Json json = read_object(directory + "/state.json");
  if (json.is_discarded()) return std::nullopt;
  const std::string word = json.value("state", "");
  const std::optional<AttemptEnd> end = value_named<AttemptEnd>(word);
  if (!end) throw bad_input(fmt::format("{}/state.json: state is {}, which is no end of an attempt", directory, word));
  return AttemptState{*end,
                      optional_int(json, "exit_code"),
                      optional_int(json, "signal"),
                      json.value("started_at", ""),
                      json.value("ended_at", ""),
                      json.value("line", "")};
}

std::optional<Attempt> read_attempt(const std::string& directory) {
  try {
    const Json json = read_object(directory + "/attempt.json");
    if (json.is_discarded()) return std::nullopt;
    const std::optional<Launcher> launcher = value_named<Launcher>(json.value("launcher", "local"));
    if (!launcher) return std::nullopt;
    return Attempt{directory,
                   json.at("run"),
                   json.at("config"),
                   json.at("repeat"),
                   json.at("attempt"),
                   json.at("token"),
                   *launcher,
                   json.value("submission", ""),
                   json.value("index", 0),
                   read_state(directory)};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

// N of "<run>-a<N>"; 0 when `folder` is not of that form.
int attempt_number(std::string_view folder, const std::string& run) {
  const std::string prefix = run + "-a";
  if (!folder.starts_with(prefix)) return 0;
  const std::string_view digits = folder.substr(prefix.size());
  const bool number = !digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == digits.npos;
  return number ? std::stoi(std::string(digits)) : 0;
}

}  // namespace

bool was_withdrawn(const Attempt& attempt) { return attempt.state && attempt.state->end == AttemptEnd::withdrawn; }

std::map<std::string, Attempt> newest_attempts(const std::string& sweep_directory) {
  std::map<std::string, Attempt> newest;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(sweep_directory + "/attempts", failed)) {
    std::optional<Attempt> attempt = read_attempt(entry.path().string());
    if (!attempt) continue;
    Attempt& known = newest[attempt->run];
    const auto rank = [](const Attempt& each) { return std::pair(!was_withdrawn(each), each.number); };
    if (known.number == 0 || rank(*attempt) > rank(known)) known = std::move(*attempt);
  }
  return newest;
}

Attempt create_attempt(const std::string& sweep_directory, const std::string& sweep,
                       const PlannedConfiguration& configuration, int repeat,
                       const std::optional<SubmissionPlace>& place) {
  Attempt attempt;
  attempt.run = run_name(configuration, repeat);
  attempt.config = configuration.hash;
  attempt.repeat = repeat;
  const std::string parent = sweep_directory + "/attempts";
  std::error_code failed;
  int last = 0;
  for (const auto& entry : fs::directory_iterator(parent, failed)) {
    last = std::max(last, attempt_number(entry.path().filename().string(), attempt.run));
  }
  attempt.number = last + 1;
  const std::string sweep_digits = sha256(sweep.data(), sweep.size()).substr(0, 8);
  attempt.token = fmt::format("{}-{}-{}-a{}", sweep_digits, configuration.hash.substr(0, 8), repeat, attempt.number);
  attempt.directory = fmt::format("{}/{}-a{}", parent, attempt.run, attempt.number);
  if (!fs::create_directory(attempt.directory, failed)) {
    throw Error(ExitCode::output, fmt::format("{}: directory cannot be made: {}", attempt.directory,
                                              failed ? failed.message() : "it is there already"));
  }
  Json spec = to_json(configuration.spec);
  if (configuration.run) spec["plan"] = plan_to_json(*configuration.run);
  write_file_atomically(attempt.directory + "/spec.json", spec.dump(2) + '\n');
  attempt.launcher = place ? Launcher::slurm : Launcher::local;
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
  }
  write_file_atomically(attempt.directory + "/attempt.json", json.dump(2) + '\n');
  sync_directory(parent);
  return attempt;
}

void write_pid(const Attempt& attempt, int pid) {
  const Json json{{"pid", pid}, {"start", process_start(pid)}};
  write_file_atomically(attempt.directory + "/pid.json", json.dump() + '\n');
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

std::optional<std::string> completion_problem(const std::string& directory) {
  try {
    const std::optional<Completion> completion = read_completion(directory);
    if (!completion) return "completed.json is missing";
    return verify_completion(directory, *completion);
  } catch (const Error& error) {
    return error.what();
  }
}

bool is_done(const Attempt& attempt) {
  return attempt.state && attempt.state->end == AttemptEnd::completed && !completion_problem(attempt.directory);
}

void settle_abandoned(Attempt& attempt) {
  const Json json = read_object(attempt.directory + "/pid.json");
  if (!json.is_discarded()) {
    const auto pid = static_cast<pid_t>(json.value("pid", 0));
    const auto start = json.value("start", uint64_t{0});
    const auto alive = [&] { return pid > 1 && start != 0 && process_start(pid) == start; };
    const auto deadline = std::chrono::steady_clock::now() + abandoned_grace;
    if (alive()) kill(-pid, SIGTERM);
    while (alive() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (alive()) kill_tree(pid);
  }
  AttemptState state;
  state.ended_at = timestamp_now();
  // A whole completion record is written last by the worker itself: nothing was left to go wrong.
  const bool whole = !completion_problem(attempt.directory);
  state.end = whole ? AttemptEnd::completed : AttemptEnd::cancelled;
  if (!whole) state.line = "the wansweep that launched it died before it ended";
  write_state(attempt, state);
}

std::string failure_line(const std::string& directory) {
  try {
    if (const auto failure = read_failure(directory)) return failure->line;
  } catch (const Error& error) {
    return error.what();
  }
  // mpirun frames its own words with dashes below the worker's; the worker's line is the one that people need.
  std::ifstream stream(directory + "/stderr.log");
  std::string worker;
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("wansweep-worker: ")) worker = line;
    if (line.find_first_not_of("- \t") != std::string::npos) last = line;
  }
  return worker.empty() ? last : worker;
}

std::optional<int> worker_exit_code(const Attempt& attempt) {
  try {
    if (const auto failure = read_failure(attempt.directory)) return failure->exit_code;
  } catch (const Error&) {
    return static_cast<int>(ExitCode::internal);
  }
  return attempt.state ? attempt.state->exit_code : std::nullopt;
}

}  // namespace wansweep
