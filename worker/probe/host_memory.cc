// Measures how fast a host store of weights is made: how long its memory takes to be allocated, touched and pinned, and
// how long weights take to be read into it from where the job has them. All ranks do so at once, as at a run's start.

#include <algorithm>
#include <memory>
#include <utility>

#include "worker/device/host_capacity.h"
#include "worker/probe/bench.h"

namespace wansweep {

namespace {

constexpr int64_t most_pinned = int64_t{2} << 30;
constexpr int64_t least_pinned = int64_t{64} << 20;
constexpr int64_t part_of_free = 8;  // the probe takes 1 / part_of_free of the memory that a rank may take

void measure_pinning(Bench& bench, double seconds) {
  const int64_t wanted = std::clamp(bench.run.weights.expert(), least_pinned, most_pinned);
  const int64_t free = host_memory_left(bench.world.node_ranks(), bench.device.memory_use().host_used);
  const auto room = static_cast<double>(free / bench.world.node_ranks() / part_of_free);
  // All ranks pin the same number of bytes: what the rank with the least room has room for.
  const int64_t bytes = std::min(wanted, static_cast<int64_t>(-bench.world.most(-room)));
  if (bytes < least_pinned) return bench.leave_out(ProbeWhat::pin, "the host has too little memory left");
  Buffer pinned;
  RankSeconds measured = bench.timer.repeat_on_host(
      [&] {
        pinned = Buffer();
        pinned = bench.device.allocate_host(bytes, HostMemory::pinned, "memory to pin");
      },
      seconds);
  bench.add({.what = ProbeWhat::pin, .bytes = bytes, .ranks = bench.world.ranks(), .memory = HostMemory::pinned},
            std::move(measured));
}

void measure_filling(Bench& bench, double seconds) {
  std::unique_ptr<WeightSource> source;
  Buffer host;
  const int64_t bytes = bench.run.weights.block;
  bench.world.all_or_none([&] {
    source = open_weights(bench.run);
    host = bench.device.allocate_host(bytes, HostMemory::pageable, "weights to fill");
  });
  int block = 0;  // another block each time, because the page cache holds what was read before
  const int layers = bench.run.model.config.layers;
  RankSeconds measured =
      bench.timer.repeat_on_host([&] { source->read(0, block++ % layers, host.data()); }, seconds);
  bench.add({.what = ProbeWhat::fill, .bytes = bytes, .ranks = bench.world.ranks()}, std::move(measured));
}

}  // namespace

Measurements host_memory_measurements(Bench& bench) {
  return {{ProbeWhat::pin, 4, [&bench](double seconds) { measure_pinning(bench, seconds); }},
          {ProbeWhat::fill, 4, [&bench](double seconds) { measure_filling(bench, seconds); }}};
}

}  // namespace wansweep
