// Measures exchanges of device memory between ranks: those of a block of the job, those of a ring, those between the
// two halves of the ranks with guidance, and a ladder of sizes from which latency and rate follow. Each is measured
// alone and beside copies of weights.

#include <algorithm>
#include <utility>

#include "worker/probe/exchange_lists.h"

namespace wansweep {

namespace {

constexpr int64_t aligned_to = 256;
constexpr int64_t smallest = 4096;  // bytes to each peer in the ladder's first exchange
constexpr int ladder_factor = 8;

int rank_of(const Bench& bench, int ring_index, int ulysses_index) {
  const ParallelPlan& plan = bench.run.parallel;
  return (place_of(plan, bench.world.rank()).cfg_index * plan.ring + ring_index) * plan.ulysses + ulysses_index;
}

void measure_exchange(Bench& bench, ProbeSample sample, const std::vector<Exchange>& exchanges, bool of_shape,
                      double seconds) {
  sample.ranks = bench.world.ranks();
  sample.bytes = sent_to_others(bench, exchanges);
  Work work{StreamId::comm, [&] { bench.backend.communicator->exchange(exchanges); }};
  if (sample.beside == Beside::copies) {
    work.beside = bench.copies_beside();
    sample.memory = HostMemory::pinned;
  }
  RankSeconds measured = bench.timer.repeat(work, seconds);
  if (of_shape) {
    bench.add_of_shape(std::move(sample), std::move(measured));
  } else {
    bench.add(std::move(sample), std::move(measured));
  }
}

void add_exchange(Measurements& to, Bench& bench, ProbeWhat what, std::vector<Exchange> exchanges, int ranks,
                  bool of_shape, double weight) {
  for (const Beside beside : {Beside::nothing, Beside::copies}) {
    ProbeSample sample{.what = what, .beside = beside};
    sample.sizes = {ranks, 0, 0};
    to.push_back({what, weight, [&bench, sample, exchanges, of_shape](double seconds) {
                    measure_exchange(bench, sample, exchanges, of_shape, seconds);
                  }});
  }
}

// The exchanges with which ShardedAttention passes k and v to the next rank of the ring.
std::vector<Exchange> ring_exchanges(const Bench& bench) {
  const ParallelPlan& plan = bench.run.parallel;
  const Workspace& w = bench.workspace;
  const RankPlace place = place_of(plan, bench.world.rank());
  const int64_t bytes =
      plan.tokens_per_rank * plan.ulysses * place.head_count * bench.run.model.config.head_dim * size_of(w.type);
  std::byte* const* from = plan.ulysses > 1 ? w.gathered : w.parts;
  const int next = rank_of(bench, (place.ring_index + 1) % plan.ring, place.ulysses_index);
  const int before = rank_of(bench, (place.ring_index + plan.ring - 1) % plan.ring, place.ulysses_index);
  return {{next, from[1], bytes, nullptr, 0},
          {next, from[2], bytes, nullptr, 0},
          {before, nullptr, 0, w.ring_k, bytes},
          {before, nullptr, 0, w.ring_v, bytes}};
}

// The exchanges with which the two halves of the ranks exchange their predictions.
std::vector<Exchange> guidance_exchanges(const Bench& bench) {
  const ParallelPlan& plan = bench.run.parallel;
  const Workspace& w = bench.workspace;
  const int half = plan.sequence_ranks();
  const bool made_cond = bench.world.rank() < half;
  const int peer = made_cond ? bench.world.rank() + half : bench.world.rank() - half;
  const int64_t bytes = plan.tokens_per_rank * bench.run.model.config.patch_values() * size_of(w.type);
  return {{peer, made_cond ? w.cond : w.uncond, bytes, nullptr, 0},
          {peer, nullptr, 0, made_cond ? w.uncond : w.cond, bytes}};
}

}  // namespace

std::vector<Exchange> all_to_all(const Bench& bench, int64_t bytes, int tensors) {
  const ParallelPlan& plan = bench.run.parallel;
  const Workspace& w = bench.workspace;
  if (plan.ulysses == 1) return {};
  const RankPlace place = place_of(plan, bench.world.rank());
  std::vector<Exchange> exchanges;
  for (int peer = 0; peer < plan.ulysses; ++peer) {
    for (int tensor = 0; tensor < tensors; ++tensor) {
      exchanges.push_back({rank_of(bench, place.ring_index, peer), w.parts[tensor] + peer * bytes, bytes,
                           w.gathered[tensor] + peer * bytes, bytes});
    }
  }
  return exchanges;
}

int64_t all_to_all_room(const Bench& bench) {
  const ParallelPlan& plan = bench.run.parallel;
  const int64_t tensor = plan.tokens_per_rank * bench.run.model.config.dim() * size_of(bench.workspace.type);
  return tensor / plan.ulysses / aligned_to * aligned_to;
}

int64_t sent_to_others(const Bench& bench, const std::vector<Exchange>& exchanges) {
  int64_t bytes = 0;
  for (const Exchange& each : exchanges) bytes += each.peer == bench.world.rank() ? 0 : each.send_bytes;
  return bytes;
}

Measurements exchange_measurements(Bench& bench) {
  const ParallelPlan& plan = bench.run.parallel;
  Measurements measurements;
  if (const int64_t room = all_to_all_room(bench); plan.ulysses > 1 && room > 0) {
    add_exchange(measurements, bench, ProbeWhat::exchange, all_to_all(bench, room, 3), plan.ulysses, true, 4);
    add_exchange(measurements, bench, ProbeWhat::exchange, all_to_all(bench, room, 1), plan.ulysses, true, 3);
  }
  if (plan.ring > 1) {
    add_exchange(measurements, bench, ProbeWhat::ring_pass, ring_exchanges(bench), plan.ring, true, 3);
  }
  if (plan.cfg > 1) {
    add_exchange(measurements, bench, ProbeWhat::guidance_exchange, guidance_exchanges(bench), plan.cfg, true, 1);
  }
  return measurements;
}

Measurements exchange_ladder(Bench& bench) {
  const ParallelPlan& plan = bench.run.parallel;
  Measurements measurements;
  if (plan.ulysses == 1) return measurements;
  for (int64_t bytes = smallest; bytes < all_to_all_room(bench); bytes *= ladder_factor) {
    add_exchange(measurements, bench, ProbeWhat::exchange, all_to_all(bench, bytes, 1), plan.ulysses, false, 1);
  }
  return measurements;
}

}  // namespace wansweep
