// A folder is a submission if it holds intent.json, which is written after all other files and before sbatch runs. So a
// folder without it never reached Slurm and is skipped. A folder whose intent cannot be read may have reached Slurm; it
// is listed as unreadable, by itself, so that one bad file does not hide the others. A token that differs from the
// folder's name is refused too: a copied folder would stand for the same job twice. A listing that fails half-way
// throws, since a short list would let jobs be submitted again.

#include "orchestrator/sweep/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Calls `each` with the name of every entry; a missing folder has none. Throws bad_input.
template <typename Each>
void list_names(const std::string& directory, Each each) {
  std::error_code failed;
  fs::directory_iterator entry(directory, failed);
  if (failed == std::errc::no_such_file_or_directory) return;
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    each(entry->path().filename().string());
  }
  if (failed) throw bad_input(fmt::format("{}: cannot be listed: {}", directory, failed.message()));
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

std::optional<SubmissionOutcome> read_outcome(const std::string& directory) {
  const std::optional<Json> outcome = read_json_object_if_there(directory + "/outcome.json");
  if (!outcome) return std::nullopt;
  const auto state = value_named<SubmissionState>(outcome->at("state").get<std::string>());
  if (!state) throw bad_input(fmt::format("{}/outcome.json: state is {}", directory, outcome->at("state").dump()));
  return SubmissionOutcome{*state, outcome->at("job_id"), outcome->at("line")};
}

// nullopt when the folder has no intent, so that sbatch cannot have run. Throws bad_input.
std::optional<Submission> read_submission(const std::string& directory, const std::string& folder) {
  const std::optional<Json> there = read_json_object_if_there(directory + "/intent.json");
  if (!there) return std::nullopt;
  const Json& intent = *there;
  Submission submission;
  submission.directory = directory;
  try {
    submission.token = intent.at("token");
    submission.created_at = intent.at("created_at");
    submission.by_hand = intent.at("by_hand");
    submission.members = intent.at("members");
    submission.shape = shape_from_json(intent.at("shape"));
    submission.worker = intent.at("worker");
    submission.running = intent.at("running");
    submission.max_running = intent.at("max_running");
    submission.profile = profile_from_json(intent.at("profile").dump(), directory + "/intent.json");
    submission.outcome = read_outcome(directory);
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a submission: {}", directory, json_problem(error)));
  }
  if (submission.token != folder) {
    throw bad_input(
        fmt::format("{}/intent.json: is of submission {}, not of this folder's", directory, submission.token));
  }
  return submission;
}

}  // namespace

std::string make_token(const std::string& sweep) {
  std::random_device device;
  return fmt::format("ws-{}-{:08x}", sha256(sweep.data(), sweep.size()).substr(0, 8), device());
}

void write_intent(const Submission& submission, const std::string& script) {
  // Slurm appends each job's output to a file in this folder and follows links, so nobody else may write here.
  make_directories(fs::path(submission.directory).parent_path().string());
  make_own_directory(submission.directory);
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
      {"state", name_of(outcome.state)}, {"job_id", outcome.job_id}, {"line", outcome.line}, {"at", timestamp_now()}};
  write_file_atomically(submission.directory + "/outcome.json",
                        json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  submission.outcome = outcome;
}

bool Submissions::is_unreadable(const std::string& token) const {
  return std::any_of(unreadable.begin(), unreadable.end(),
                     [&](const UnreadableSubmission& each) { return each.token == token; });
}

Submissions read_submissions(const std::string& sweep_directory) {
  const std::string directory = sweep_directory + "/submissions";
  Submissions submissions;
  list_names(directory, [&](const std::string& token) {
    try {
      std::optional<Submission> submission = read_submission(directory + '/' + token, token);
      if (submission) submissions.known.push_back(*std::move(submission));
    } catch (const Error& error) {
      submissions.unreadable.push_back({token, error.what()});
    }
  });
  std::sort(submissions.known.begin(), submissions.known.end(), [](const Submission& a, const Submission& b) {
    return std::tie(a.created_at, a.token) < std::tie(b.created_at, b.token);
  });
  return submissions;
}

std::optional<int64_t> started_job(const Submission& submission) {
  constexpr std::string_view prefix = "started.";
  std::optional<int64_t> first;
  list_names(submission.directory, [&](const std::string& name) {
    if (!name.starts_with(prefix)) return;
    int64_t job = 0;
    const char* end = name.data() + name.size();
    const auto [last, error] = std::from_chars(name.data() + prefix.size(), end, job);
    if (error != std::errc() || last != end || job <= 0) return;
    if (!first || job < *first) first = job;
  });
  return first;
}

bool is_only_generated(const Submission& submission) {
  return submission.by_hand && !submission.outcome && !started_job(submission);
}

}  // namespace wansweep
