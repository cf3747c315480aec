// Measures one block of the model, run by all ranks at once: with its exchanges, as the loop runs it; without them; and
// beside copies of weights.

#include "worker/model/block.h"
#include "worker/probe/bench.h"

namespace wansweep {

namespace {

struct BlockRun {
  ProbeWhat what;
  bool exchanging;
  Prefix prefix;
  Beside beside;
  double weight;
};

void measure_block(Bench& bench, const BlockRun& how, double seconds) {
  TransformerBlock block(bench.context(how.exchanging));
  Workspace& w = bench.workspace;
  const auto run = [&](Prefix prefix, bool text_made) {
    block.run(bench.next_block(), {w.hidden, w.text, w.text_keys(0, 0, text_made)}, prefix, {});
  };
  // Leaves the prefix and the text's keys that the measured block starts from, where they are kept.
  run(how.prefix == Prefix::kept ? Prefix::keep : how.prefix, false);
  Work work{StreamId::compute, [&] { run(how.prefix, true); }};
  if (how.beside == Beside::copies) work.beside = bench.copies_beside();
  RankSeconds measured = bench.timer.repeat(work, seconds);
  bench.add_of_shape({.what = how.what,
                      .sizes = {how.exchanging ? bench.exchange_groups : 0, 0, 0},
                      .ranks = bench.world.ranks(),
                      .beside = how.beside,
                      .memory = how.beside == Beside::copies ? std::optional(HostMemory::pinned) : std::nullopt},
                     std::move(measured));
}

}  // namespace

Measurements block_measurements(Bench& bench) {
  const bool exchanges = bench.run.parallel.sequence_ranks() > 1;
  const bool both = bench.run.activations.both_forwards;
  std::vector<BlockRun> runs{{ProbeWhat::block_forward, false, Prefix::own, Beside::nothing, 14},
                             {ProbeWhat::block_forward, false, Prefix::own, Beside::copies, 7}};
  if (both) runs.push_back({ProbeWhat::block_rest, false, Prefix::kept, Beside::nothing, 5});
  if (exchanges) {
    runs.push_back({ProbeWhat::block_with_exchanges, true, Prefix::own, Beside::nothing, 10});
    runs.push_back({ProbeWhat::block_with_exchanges, true, Prefix::own, Beside::copies, 8});
    if (both) runs.push_back({ProbeWhat::block_rest_with_exchanges, true, Prefix::kept, Beside::nothing, 4});
  }
  Measurements measurements;
  for (const BlockRun& how : runs) {
    measurements.push_back(
        {how.what, how.weight, [&bench, how](double seconds) { measure_block(bench, how, seconds); }});
  }
  return measurements;
}

}  // namespace wansweep
