// The worker's own word on how an attempt ended: completed.json, or failure.json. Written last, and atomically.
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

// What the run was for: the latents, as rank 0 wrote them.
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
  std::optional<ResultRecord> result = {};  // nullopt: a worker of before wrote the record, and did not say
};

struct Failure {
  int rank = 0;
  int exit_code = 1;
  std::string line;  // what the worker said on standard error
  std::string failed_at;
};

// The record of DIRECTORY/result.safetensors as it lies there. Throws bad_input when it cannot be read.
ResultRecord describe_result(const std::string& directory);

// Written to a temporary name, synced, renamed. Throws Error(output).
void write_completion(const std::string& directory, const Completion& completion);
// Keeps the first failure: a later call finds the file and leaves it.
void write_failure(const std::string& directory, const Failure& failure);

// nullopt when the file is not there; throws bad_input when it is there and cannot be read.
std::optional<Completion> read_completion(const std::string& directory);
std::optional<Failure> read_failure(const std::string& directory);

// Whether the traces and the result in `directory` are those that `completion` speaks of, byte by byte; otherwise one
// line that says which is not. Reads all of them.
std::optional<std::string> verify_completion(const std::string& directory, const Completion& completion);

}  // namespace wansweep
