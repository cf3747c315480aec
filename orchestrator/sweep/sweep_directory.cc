#include "orchestrator/sweep/sweep_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

SweepLock::SweepLock(const std::string& directory) {
  const std::string file = directory + "/lock";
  fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, std::strerror(errno)));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(fd_);
    if (error != EWOULDBLOCK) {
      throw Error(ExitCode::output, fmt::format("{}: cannot be locked: {}", file, std::strerror(error)));
    }
    std::string holder = read_text_if_there(file).value_or("");
    holder.erase(holder.find_last_not_of('\n') + 1);
    throw Error(ExitCode::store_busy, fmt::format("{}: another wansweep is at work here: {}", directory,
                                                  holder.empty() ? "it has just started" : holder));
  }
  const std::string holder = fmt::format("pid {} on host {}\n", getpid(), host_name());
  if (ftruncate(fd_, 0) != 0 || pwrite(fd_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    const int error = errno;
    close(fd_);
    throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, std::strerror(error)));
  }
}

SweepLock::~SweepLock() { close(fd_); }

void create_sweep_directory(const std::string& directory) { make_directories(directory + "/attempts"); }

void write_sweep_record(const std::string& directory, const Sweep& sweep, const Plan& plan) {
  const std::string file = directory + "/sweep.json";
  if (fs::exists(file)) {
    const std::string name = read_sweep_record(directory).name;
    if (name != sweep.name) {
      throw bad_input(fmt::format("{}: holds sweep {}, not {}; give another --dir", directory, name, sweep.name));
    }
  }
  Json runs = Json::array();
  for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
    for (const PlannedConfiguration& c : plan.configurations) {
      runs.push_back({{"run", run_name(c, repeat)}, {"config", c.hash}, {"repeat", repeat}});
    }
  }
  Json specs = Json::object();
  for (const PlannedConfiguration& c : plan.configurations) specs[c.hash] = to_json(c.spec);
  const Json record{{"sweep", sweep.name},     {"file", fs::absolute(sweep.file).lexically_normal().string()},
                    {"matrix", sweep.text},    {"matrix_sha256", sha256(sweep.text.data(), sweep.text.size())},
                    {"runs", std::move(runs)}, {"specs", std::move(specs)}};
  write_file_atomically(file, record.dump(2) + '\n');
}

SweepRecord read_sweep_record(const std::string& directory) {
  const std::string file = directory + "/sweep.json";
  if (!fs::is_regular_file(file)) {
    throw bad_input(fmt::format("{}: no sweep here (no sweep.json); give the directory of `wansweep run`", directory));
  }
  try {
    const Json json = Json::parse(read_text(file));
    SweepRecord record{json.at("sweep"), json.at("file"), {}};
    for (const Json& run : json.at("runs")) {
      record.runs.push_back({run.at("run"), run.at("config"), run.at("repeat")});
    }
    return record;
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a sweep record: {}", file, error.what()));
  }
}

std::map<std::string, RunSpec> read_sweep_specs(const std::string& directory) {
  const std::string file = directory + "/sweep.json";
  const Json json = Json::parse(read_text(file), nullptr, false);
  if (!json.is_object() || !json.contains("specs") || !json["specs"].is_object()) {
    throw bad_input(
        fmt::format("{}: does not have the runs' settings; `wansweep run` of its TOML file adds them", file));
  }
  std::map<std::string, RunSpec> specs;
  for (const auto& [hash, spec] : json["specs"].items()) specs[hash] = spec_from_json(spec, file);
  return specs;
}

}  // namespace wansweep
