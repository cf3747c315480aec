// Small profiler's traces and their like, whose answer is known by construction.
#pragma once

#include <zlib.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/imports/engine_trace.h"
#include "schema/run_settings.h"

namespace wansweep {

// A Kineto trace as text. Times are microseconds after the base.
class TraceBuilder {
 public:
  TraceBuilder& rank(int rank, int ranks) {
    trace_["distributedInfo"] = {{"backend", "nccl"}, {"rank", rank}, {"world_size", ranks}};
    return *this;
  }
  TraceBuilder& event(const std::string& category, const std::string& name, double start, double duration,
                      nlohmann::json args = nlohmann::json::object()) {
    events_.push_back({{"ph", "X"},
                       {"cat", category},
                       {"name", name},
                       {"pid", 0},
                       {"tid", 7},
                       {"ts", start},
                       {"dur", duration},
                       {"args", std::move(args)}});
    return *this;
  }
  // Marked on host and device; what the host did began 100 us earlier.
  TraceBuilder& step(int index, double start, double duration) {
    event("user_annotation", "denoising_step_" + std::to_string(index), start - 100, duration / 2);
    return event("gpu_user_annotation", "denoising_step_" + std::to_string(index), start, duration);
  }
  std::string text() const {
    nlohmann::json trace = trace_;
    trace["traceEvents"] = events_;
    return trace.dump();
  }

 private:
  nlohmann::json trace_{{"schemaVersion", 1},
                        {"host_name", "n1"},
                        {"baseTimeNanoseconds", 1'000'000'000'000},
                        {"deviceProperties", {{{"id", 0}, {"name", "NVIDIA H100 PCIe"}}}}};
  nlohmann::json events_ = nlohmann::json::array();
};

inline void write_gzip(const std::string& file, const std::string& text) {
  const gzFile out = gzopen(file.c_str(), "wb1");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
}

// Settings of a run made elsewhere: two steps, no more than a user would say.
inline RunSettings elsewhere(int64_t ranks, int64_t steps) {
  RunSettings settings;
  settings.engine = EngineKind::sglang;
  settings.offload = OffloadMode::swap;
  settings.ranks = ranks;
  settings.steps = steps;
  for (const char* name : {"engine", "offload", "ranks", "steps"}) settings.origins[name].origin = "user";
  return settings;
}

}  // namespace wansweep
