// make_bench_sweep DIR ATTEMPTS: writes a sweep whose traces are as large as those of the 14-billion-parameter model,
// for bench/store/measure.
//
// An attempt has 4 ranks, 27 steps, 2 forwards, 40 blocks, and 11 events in each block: some 95,000 events.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/sha256.h"
#include "schema/completion.h"
#include "schema/run_settings.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"

namespace {

using namespace wansweep;

constexpr int ranks = 4, steps = 27, blocks = 40;
constexpr int64_t us = 1000;

RunSettings make_spec(OffloadMode offload, double shift) {
  RunSettings spec;
  spec.model_id = "t2v-a14b";
  spec.size = "1280x720";
  spec.frames = 81;
  spec.steps = steps;
  spec.flow_shift = shift;
  spec.boundary_ratio = 0.875;
  spec.ranks = ranks;
  spec.ulysses = ranks;
  spec.ring = 1;
  spec.offload = offload;
  return spec;
}

void add_block(TraceRows& rows, int step, int forward, int block, int64_t& now) {
  const auto add = [&](EventKind kind, StallCause cause, StreamId stream, int64_t start, int64_t length,
                       int64_t bytes) {
    rows.events.push_back({step, static_cast<int16_t>(forward), static_cast<int16_t>(block), kind, cause, stream,
                           static_cast<uint8_t>(step < 19 ? 1 : 2), start, start + length, bytes});
  };
  add(EventKind::h2d, StallCause::none, StreamId::copy, now, 900 * us, 700'000'000);
  for (int64_t i = 0; i < 3; ++i)
    add(EventKind::compute, StallCause::none, StreamId::compute, now + i * 100 * us, 100 * us, 0);
  add(EventKind::all_to_all, StallCause::none, StreamId::comm, now + 300 * us, 80 * us, 4'000'000);
  add(EventKind::stall, StallCause::peers, StreamId::compute, now + 300 * us, 80 * us, 0);
  add(EventKind::attention, StallCause::none, StreamId::compute, now + 380 * us, 300 * us, 0);
  add(EventKind::all_to_all, StallCause::none, StreamId::comm, now + 680 * us, 80 * us, 4'000'000);
  for (int i = 0; i < 2; ++i)
    add(EventKind::compute, StallCause::none, StreamId::compute, now + (760 + i * 50) * us, 50 * us, 0);
  add(EventKind::stall, StallCause::weights, StreamId::compute, now + 860 * us, 40 * us, 0);
  now += 900 * us;
}

void write_rank(const std::string& file, const RunSettings& spec) {
  TraceWriter writer(file, to_json(spec).dump(), R"({"host":"node1","device":{"name":"H100"}})");
  int64_t now = 1'000'000'000;
  for (int step = 1; step <= steps; ++step) {
    TraceRows rows;
    const int64_t start = now;
    for (int forward = 0; forward < 2; ++forward) {
      for (int block = 0; block < blocks; ++block) add_block(rows, step, forward, block, now);
    }
    rows.memory.push_back({step, now, int64_t{40} << 30, int64_t{60} << 30, 1 << 20, 1 << 20});
    rows.steps.push_back({step, step < 19 ? 1 : 2, 1000 - step, 0.5F, start, now});
    writer.append(rows);
  }
  writer.set_digest(std::string(64, 'a'));
  writer.close();
}

void write_attempt(const std::string& sweep, int n) {
  const OffloadMode modes[] = {OffloadMode::resident, OffloadMode::swap, OffloadMode::layerwise};
  const RunSettings spec = make_spec(modes[n % 3], n / 3 % 2 == 0 ? 12 : 3);
  const int repeat = n / 6 + 1;
  const std::string run = fmt::format("{}-{}-{}", name_of(spec.offload), settings_hash(spec).substr(0, 8), repeat);
  const std::string directory = fmt::format("{}/attempts/{}-a1", sweep, run);
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/spec.json") << to_json(spec).dump();
  std::ofstream(directory + "/attempt.json") << nlohmann::json{
      {"sweep", "bench"}, {"run", run},         {"config", settings_hash(spec)}, {"repeat", repeat}, {"attempt", 1},
      {"token", run},     {"launcher", "local"}}.dump();
  Completion completion{ranks, steps, std::string(64, 'a'), timestamp_now(), timestamp_now(), {}};
  for (int rank = 0; rank < ranks; ++rank) {
    const std::string name = trace_file_name(rank);
    const std::string file = fmt::format("{}/{}", directory, name);
    write_rank(file, spec);
    completion.traces.push_back({name, steps, int64_t{steps} * 2 * blocks * 11, steps, sha256_file(file)});
  }
  write_completion(directory, completion);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    fmt::print(stderr, "usage: make_bench_sweep DIR ATTEMPTS\n");
    return 2;
  }
  for (int n = 0; n < std::atoi(argv[2]); ++n) write_attempt(argv[1], n);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "make_bench_sweep: {}\n", error.what());
  return 1;
}
