#include "orchestrator/sweep/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json read_json(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return stream ? Json::parse(stream, nullptr, false) : Json(Json::value_t::discarded);
}

Json shape_to_json(const ResourceShape& shape) {
  return {{"nodes", shape.nodes},
          {"ranks", shape.ranks},
          {"gpus_per_node", shape.gpus_per_node},
          {"cores_per_rank", shape.cores_per_rank},
          {"memory_per_node", shape.memory_per_node},
          {"seconds", shape.seconds}};
}

ResourceShape shape_from_json(const Json& json) {
  return {json.at("nodes"),          json.at("ranks"),           json.at("gpus_per_node"),
          json.at("cores_per_rank"), json.at("memory_per_node"), json.at("seconds")};
}

Submission read_submission(const fs::path& directory, const Json& intent) {
  Submission submission;
  submission.directory = directory.string();
  try {
    submission.token = intent.at("token");
    submission.created_at = intent.at("created_at");
    submission.by_hand = intent.at("by_hand");
    submission.members = intent.at("members");
    submission.shape = shape_from_json(intent.at("shape"));
    submission.worker = intent.at("worker");
    submission.running = intent.at("running");
    submission.max_running = intent.at("max_running");
    submission.profile = profile_from_json(intent.at("profile").dump(), (directory / "intent.json").string());
    const Json outcome = read_json(directory / "outcome.json");
    if (outcome.is_object()) {
      submission.outcome = {outcome.at("state"), outcome.at("job_id"), outcome.at("line")};
    }
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a submission: {}", directory.string(), error.what()));
  }
  return submission;
}

}  // namespace

std::string make_token(const std::string& sweep) {
  std::random_device device;
  return fmt::format("ws-{}-{:08x}", sha256(sweep.data(), sweep.size()).substr(0, 8), device());
}

void write_intent(const Submission& submission, const std::string& script) {
  std::error_code failed;
  fs::create_directories(submission.directory, failed);
  if (failed) {
    throw Error(ExitCode::output,
                fmt::format("{}: directory cannot be made: {}", submission.directory, failed.message()));
  }
  std::string manifest;
  for (const std::string& member : submission.members) manifest += member + '\n';
  write_file_atomically(submission.directory + "/manifest", manifest);
  write_file_atomically(submission.directory + "/job.sh", script);
  const Json intent{{"token", submission.token},
                    {"created_at", submission.created_at},
                    {"by_hand", submission.by_hand},
                    {"members", submission.members},
                    {"shape", shape_to_json(submission.shape)},
                    {"worker", submission.worker},
                    {"running", submission.running},
                    {"max_running", submission.max_running},
                    {"profile", Json::parse(profile_to_json(submission.profile))}};
  write_file_atomically(submission.directory + "/intent.json", intent.dump(2) + '\n');
}

void write_outcome(Submission& submission, const SubmissionOutcome& outcome) {
  const Json json{
      {"state", outcome.state}, {"job_id", outcome.job_id}, {"line", outcome.line}, {"at", timestamp_now()}};
  write_file_atomically(submission.directory + "/outcome.json",
                        json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  submission.outcome = outcome;
}

std::vector<Submission> read_submissions(const std::string& sweep_directory) {
  std::vector<Submission> submissions;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(sweep_directory + "/submissions", failed)) {
    const Json intent = read_json(entry.path() / "intent.json");
    if (intent.is_object()) submissions.push_back(read_submission(entry.path(), intent));
  }
  std::sort(submissions.begin(), submissions.end(), [](const Submission& a, const Submission& b) {
    return std::tie(a.created_at, a.token) < std::tie(b.created_at, b.token);
  });
  return submissions;
}

std::optional<int64_t> started_job(const Submission& submission) {
  std::optional<int64_t> first;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(submission.directory, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("started.")) continue;
    const int64_t job = std::atoll(name.c_str() + 8);
    if (job > 0 && (!first || job < *first)) first = job;
  }
  return first;
}

}  // namespace wansweep
