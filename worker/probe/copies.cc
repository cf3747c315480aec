// Measures copies between host and device: in each direction, with pinned and with pageable memory, by one rank while
// the others wait and by all ranks at once, with few bytes (for the latency) and beside exchanges.

#include <algorithm>
#include <utility>

#include "worker/probe/bench.h"
#include "worker/probe/exchange_lists.h"

namespace wansweep {

namespace {

constexpr int64_t small_copy = int64_t{64} << 10;
constexpr int64_t most_copied = int64_t{1} << 30;
constexpr double copies_in_share = 8;  // how many copies, at least, should fit into a measurement's share of time

struct CopyRun {
  ProbeWhat way;
  HostMemory memory;
  bool all;  // true: all ranks copy; false: only rank 0
  Beside beside;
  int64_t bytes;  // bytes at most; fewer on a slow link
};

void measure_copy(Bench& bench, const CopyRun& how, double seconds) {
  Device& device = bench.device;
  Buffer on_device, on_host;
  int64_t bytes = how.bytes;
  bench.world.all_or_none([&] {
    on_device = device.allocate(how.bytes, "a copy to measure");
    on_host = device.allocate_host(how.bytes, how.memory, "a copy to measure");
    std::fill_n(on_host.data(), how.bytes, std::byte{0});
  });
  const FinishOnExit finish(device);
  const bool takes_part = how.all || bench.world.rank() == 0;
  const auto copy = [&] {
    if (!takes_part) return;
    if (how.way == ProbeWhat::copy_in) {
      device.copy_in(StreamId::copy, on_device.data(), on_host.data(), bytes);
    } else {
      device.copy_out(StreamId::copy, on_host.data(), on_device.data(), bytes);
    }
  };
  Work work{StreamId::copy, copy};
  bytes = std::min(bytes, small_copy);
  bench.timer.once(work);
  const double small_s = bench.timer.once(work);
  const double fitting = static_cast<double>(bytes) * seconds / copies_in_share / small_s;
  if (fitting < static_cast<double>(how.bytes)) {
    bytes = std::max(bytes, static_cast<int64_t>(fitting));
  } else {
    bytes = how.bytes;
  }
  const std::vector<Exchange> exchanges = all_to_all(bench, all_to_all_room(bench), 1);
  if (how.beside == Beside::exchange) {
    work.beside = {StreamId::comm, [&] { bench.backend.communicator->exchange(exchanges); }};
    work.beside.seconds = bench.timer.once({StreamId::comm, work.beside.enqueue});
  }
  RankSeconds measured = bench.timer.repeat(work, seconds);
  bench.add({.what = how.way,
             .bytes = bytes,
             .ranks = how.all ? bench.world.ranks() : 1,
             .beside = how.beside,
             .memory = how.memory},
            std::move(measured));
}

}  // namespace

Measurements copy_measurements(Bench& bench) {
  const int64_t large = std::min(bench.run.weights.block, most_copied);
  const bool several = bench.world.ranks() > 1;
  std::vector<CopyRun> runs{{ProbeWhat::copy_in, HostMemory::pinned, false, Beside::nothing, small_copy}};
  for (const HostMemory memory : {HostMemory::pinned, HostMemory::pageable}) {
    for (const ProbeWhat way : {ProbeWhat::copy_in, ProbeWhat::copy_out}) {
      runs.push_back({way, memory, false, Beside::nothing, large});
      if (several) runs.push_back({way, memory, true, Beside::nothing, large});
    }
    if (several && bench.run.parallel.ulysses > 1) {
      runs.push_back({ProbeWhat::copy_in, memory, true, Beside::exchange, large});
    }
  }
  Measurements measurements;
  for (const CopyRun& how : runs) {
    measurements.push_back({how.way, 2, [&bench, how](double seconds) { measure_copy(bench, how, seconds); }});
  }
  return measurements;
}

}  // namespace wansweep
