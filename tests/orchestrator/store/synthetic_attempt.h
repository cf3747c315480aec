// Attempt directories whose every answer is known by construction.
// There are 27 steps of 100 ms. Each computes for 70 ms and exchanges for `exchange_ms`; the switch step takes
// `spike_ms` more. Step 2 (and, with `copying_steps`, the steps after it) copies to the device from 40 ms to 70 ms +
// `exposed_ms`, in two copies that meet at 70 ms, so that the second is exposed and beside the exchange. The step also
// waits for weights for 5 ms, and copies back for `back_ms` from 85 ms on. Each rank's clock is one second behind that
// of the rank before it. Rank 1 computes `skew_ms` longer, and the others wait for it.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/sha256.h"
#include "schema/completion.h"
#include "schema/run_settings.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"

namespace wansweep::synthetic {

inline constexpr int64_t ms = 1'000'000;
inline constexpr int64_t behind = 1'000 * ms;
inline constexpr int64_t begin = 5'000'000 * ms;
inline constexpr int64_t copied = 6'000'000;          // bytes of a copy
inline constexpr int64_t exchanged_per_ms = 100'000;  // bytes

struct Shape {
  std::string offload = "resident";
  int repeat = 1;
  int number = 1;
  int steps = 27;  // of 27; an attempt with fewer did not finish
  int switch_at = 19;
  double flow_shift = 12;
  int64_t spike_ms = 0;
  int64_t exposed_ms = 0;
  int64_t slower_ms = 0;  // how much longer every step takes
  int64_t exchange_ms = 10;
  int64_t late_ms = 0;  // how much later than the others rank 1 begins each exchange, which it ends with them
  int64_t back_ms = 0;
  int copying_steps = 1;
  int64_t skew_ms = 0;
  int64_t peak_mib = 100;  // peak of the last rank, from step 5 on; the other ranks need 1 MiB less
  int ranks = 2;
  std::string host = "node1";
  int copying_rank = -1;       // the only rank that copies, and then does not exchange in that step; -1: all do both
  bool host_per_rank = false;  // whether each rank has a host of its own, with the rank's number at the end of its name
  char digest = 'a';
  int64_t nonfinite = 0;            // of each rank's latents, at each step; -1: nobody counted
  int64_t first_load_ms = 0;        // a copy of `copied` bytes that ends 5 ms before step 1; 0: none was recorded
  std::string state = "completed";  // empty: no state.json
  GuidanceOrder guidance_order = GuidanceOrder::branch;
  DeviceBudget device_budget = {};
  double device_memory = 0;
  bool tells_power = false;  // 300 W in odd steps and 700 W in even ones, at a limit of 700 W
};

inline RunSettings spec_of(const Shape& shape) {
  RunSettings spec;
  spec.model_id = "t2v-a14b";
  spec.weights = "random:1";
  spec.size = "832x480";
  spec.frames = 81;
  spec.steps = 27;
  spec.flow_shift = shape.flow_shift;
  spec.boundary_ratio = 0.875;
  spec.guidance_scale = 4;
  spec.guidance_scale_2 = 3;
  spec.ranks = shape.ranks;
  spec.ulysses = shape.ranks;
  spec.ring = 1;
  spec.offload = value_named<OffloadMode>(shape.offload).value();
  spec.guidance_order = shape.guidance_order;
  spec.device_budget = shape.device_budget;
  spec.device_memory = shape.device_memory;
  spec.origins["flow_shift"] = {shape.flow_shift == 12 ? "catalog" : "sglang-2025-12", "12.0"};
  spec.origins["boundary_ratio"] = {"catalog", "0.875"};
  return spec;
}

inline std::string run_name(const Shape& shape) {
  return shape.offload + "-" + settings_hash(spec_of(shape)).substr(0, 8) + "-r" + std::to_string(shape.repeat);
}

// The sample after `step`, for steps of 100 ms.
inline PowerRow power_after(int step, int64_t time) {
  constexpr int odd_mj = 30'000, even_mj = 70'000;
  const bool even = step % 2 == 0;
  return {step,
          time,
          5 + (step + 1) / 2 * int64_t{odd_mj} + step / 2 * int64_t{even_mj},
          even ? 690'000 : 310'000,
          even ? 1200 : 1980,
          40 + step};
}

inline TraceRows rows_of_step(const Shape& shape, int rank, int step, int64_t start) {
  const int64_t zero = start - rank * behind;
  const int64_t length = (100 + shape.slower_ms + (step == shape.switch_at ? shape.spike_ms : 0)) * ms;
  TraceRows rows;
  const auto add = [&](EventKind kind, StallCause cause, StreamId stream, int64_t from, int64_t to, int64_t bytes) {
    rows.events.push_back({step, 0, 3, kind, cause, stream, 1, zero + from * ms, zero + to * ms, bytes});
  };
  const int64_t skew = rank == 1 ? shape.skew_ms : 0;
  add(EventKind::compute, StallCause::none, StreamId::compute, 0, 50, 0);
  add(EventKind::attention, StallCause::none, StreamId::compute, 50, 70 + skew, 0);
  const bool copies =
      step >= 2 && step < 2 + shape.copying_steps && (shape.copying_rank < 0 || rank == shape.copying_rank);
  if (!copies || shape.copying_rank < 0) {
    const int64_t late = rank == 1 ? shape.late_ms : 0;
    add(EventKind::all_to_all, StallCause::none, StreamId::comm, 70 + late, 70 + shape.exchange_ms,
        shape.exchange_ms * exchanged_per_ms);
  }
  if (shape.skew_ms > skew) add(EventKind::stall, StallCause::peers, StreamId::compute, 70, 70 + shape.skew_ms, 0);
  if (copies) {
    add(EventKind::h2d, StallCause::none, StreamId::copy, 40, 70, copied);
    add(EventKind::h2d, StallCause::none, StreamId::copy, 70, 70 + shape.exposed_ms, copied);
    add(EventKind::stall, StallCause::weights, StreamId::compute, 70, 75, 0);
    if (shape.back_ms > 0) add(EventKind::d2h, StallCause::none, StreamId::copy, 85, 85 + shape.back_ms, copied);
  }
  const int64_t peak = (shape.peak_mib - (rank == shape.ranks - 1 ? 0 : 1)) << 20;
  rows.memory.push_back({step, zero + length, peak / 2, step < 5 ? peak / 2 : peak, 1 << 20, 3 << 20});
  if (shape.nonfinite >= 0) rows.nonfinite.push_back({step, shape.nonfinite});
  if (shape.tells_power) rows.power.push_back(power_after(step, zero + length));
  rows.steps.push_back({step, step < shape.switch_at ? 1 : 2, 1000 - step, 0.5f, zero, zero + length});
  return rows;
}

inline nlohmann::json device_of(const Shape& shape) {
  nlohmann::json device{{"name", "gpu"}};
  if (shape.tells_power) {
    device["power_limit_mw"] = 700'000;
    device["clocks_mhz"] = {{"sm", 1980}, {"max_sm", 1980}};
  }
  return device;
}

inline void write_trace(const Shape& shape, int rank, const std::string& directory) {
  TraceWriter writer(directory + "/" + trace_file_name(rank), to_json(spec_of(shape)).dump(),
                     nlohmann::json{{"host", shape.host + (shape.host_per_rank ? std::to_string(rank) : "")},
                                    {"rank", rank},
                                    {"git_revision", "abc"},
                                    {"weights_loaded_s", rank + shape.repeat},
                                    {"device", device_of(shape)}}
                         .dump());
  TraceRows at_start{{}, {}, {}, {{0, begin - rank * behind, rank * behind, 40}}};
  if (shape.tells_power) at_start.power.push_back(power_after(0, begin - rank * behind));
  writer.append(at_start);
  if (shape.first_load_ms > 0) {
    const int64_t over = begin - rank * behind - 5 * ms;
    writer.append({{},
                   {{0, -1, 2, EventKind::h2d, StallCause::none, StreamId::copy, 1, over - shape.first_load_ms * ms,
                     over, copied}},
                   {},
                   {}});
  }
  int64_t start = begin;
  for (int step = 1; step <= shape.steps; ++step) {
    const TraceRows rows = rows_of_step(shape, rank, step, start);
    writer.append(rows);
    start = rows.steps[0].end_ns + rank * behind;
  }
  if (shape.steps == 27) writer.set_digest(std::string(64, shape.digest));
  writer.close();
}

// Makes the directory and returns it.
inline std::string write_attempt(const std::string& sweep, const Shape& shape) {
  const std::string run = run_name(shape);
  std::string directory = sweep + "/attempts/" + run + "-a" + std::to_string(shape.number);
  std::filesystem::create_directories(directory);
  const RunSettings spec = spec_of(shape);
  std::ofstream(directory + "/spec.json") << to_json(spec).dump();
  std::ofstream(directory + "/attempt.json") << nlohmann::json{
      {"sweep", "demo"},
      {"run", run},
      {"config", settings_hash(spec)},
      {"repeat", shape.repeat},
      {"attempt", shape.number},
      {"token", "t1"},
      {"launcher", "local"}}.dump();
  Completion completion{
      shape.ranks, 27, std::string(64, shape.digest), "2026-11-24T02:10:00.000Z", "2026-11-24T02:11:00.000Z", {}};
  for (int rank = 0; rank < shape.ranks; ++rank) {
    write_trace(shape, rank, directory);
    const std::string file = directory + "/" + trace_file_name(rank);
    const TraceRows rows = read_trace(file).rows;
    completion.traces.push_back({trace_file_name(rank), shape.steps, static_cast<int64_t>(rows.events.size()),
                                 static_cast<int64_t>(rows.memory.size()), sha256_file(file)});
  }
  if (shape.steps == 27) write_completion(directory, completion);
  if (!shape.state.empty()) {
    std::ofstream(directory + "/state.json") << nlohmann::json{
        {"state", shape.state},
        {"exit_code", shape.state == "completed" ? 0 : 13},
        {"signal", nullptr},
        {"started_at", "2026-11-24T02:09:59.000Z"},
        {"ended_at", "2026-11-24T02:11:01.000Z"}}.dump();
  }
  return directory;
}

}  // namespace wansweep::synthetic
