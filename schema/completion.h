// The worker's record of how an attempt ended: completed.json or failure.json. Rank 0 writes completed.json last, and
// atomically. All paths are of attempt directories; sizes are in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_codes.h"

namespace wansweep {

struct TraceRecord {
  std::string file;  // name in the attempt directory
  int64_t steps = 0;
  int64_t events = 0;
  int64_t memory = 0;
  std::string sha256;
};

// The run's result, result.safetensors, as rank 0 wrote it: the final latents.
inline constexpr const char* result_file_name = "result.safetensors";
struct ResultRecord {
  std::string file;  // name in the attempt directory
  int64_t bytes = 0;
  std::string sha256;
};

struct Completion {
  int ranks = 0;
  int steps = 0;
  std::string latents_digest;  // SHA-256 of the final latents
  std::string started_at;      // ISO 8601, UTC
  std::string finished_at;
  std::vector<TraceRecord> traces;          // by rank
  std::optional<ResultRecord> result = {};  // nullopt: written by a worker that did not record it yet
};

struct Failure {
  int rank = 0;
  int exit_code = 1;
  std::string line;  // what the worker said on standard error
  std::string failed_at;
};

// Reads the size and digest of DIRECTORY/result.safetensors. Throws bad_input when it cannot be read.
ResultRecord describe_result(const std::string& directory);

// Writes completed.json atomically and durably. Throws Error(output).
void write_completion(const std::string& directory, const Completion& completion);
// Writes failure.json, unless an earlier call, of any rank, has written it: the first failure stays.
void write_failure(const std::string& directory, const Failure& failure);

// nullopt when the file does not exist. Throws bad_input when it exists and cannot be read.
std::optional<Completion> read_completion(const std::string& directory);
std::optional<Failure> read_failure(const std::string& directory);

// Compares the traces and the result in `directory` with the sizes and digests in `completion`, reading every byte.
// nullopt when all match; otherwise one line on the first file that does not.
std::optional<std::string> verify_completion(const std::string& directory, const Completion& completion);

}  // namespace wansweep
