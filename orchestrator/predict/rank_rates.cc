// The pieces of a block are in the order of worker/model/sharded_attention.cc: the computing before attention; sending
// q, k and v to the peers; attention, with a turn for each member of the ring, during which the next keys and values
// are under way; sending attention's output back; the computing after attention. Groups of heads are exchanged while
// other groups attend. A probe may find that a block with its exchanges takes longer than its pieces add up to. The
// excess is waiting for peers, and is added to the latencies of the exchanges. It may also find that the block takes
// less time. Then the computing is made faster: the pieces hide as much of the exchanges as can be hidden, and a card
// that rests during exchanges computes at a higher clock than one that computes without a pause.

#include "orchestrator/predict/rank_rates.h"

#include <algorithm>
#include <vector>

#include "base/units.h"
#include "orchestrator/predict/block_work.h"
#include "orchestrator/predict/run_links.h"

namespace wansweep {
namespace {

// The bytes of one tensor (q, k, v or the output) that the rank which sends the most sends to its peers.
double bytes_to_peers(const RunPlan& plan) {
  const ParallelPlan& parallel = plan.parallel;
  if (parallel.ulysses == 1) return 0;
  const int most = parallel.heads_per_ulysses_rank.front(), fewest = parallel.heads_per_ulysses_rank.back();
  const int heads = std::max(parallel.heads - fewest, (parallel.ulysses - 1) * most);
  const auto head = static_cast<double>(parallel.tokens_per_rank * plan.model.config.head_dim * size_of(plan.type));
  return heads * head;
}

// The bytes of keys and values that a rank passes to the next rank of its ring in one turn.
double bytes_round_ring(const RunPlan& plan) {
  const ParallelPlan& parallel = plan.parallel;
  if (parallel.ring == 1) return 0;
  const auto values = static_cast<double>(parallel.tokens_per_rank * parallel.ulysses *
                                          parallel.heads_per_ulysses_rank.front() * plan.model.config.head_dim);
  return 2 * values * static_cast<double>(size_of(plan.type));
}

using Pieces = std::vector<PlayPiece>;

// Two exchanges that are due at the same time, as one: they follow each other on their stream.
PlayExchange both(const PlayExchange& a, const PlayExchange& b) {
  if (a.bytes == 0) return b;
  if (b.bytes == 0) return a;
  PlayExchange sum = a;
  sum.latency += b.latency;
  sum.bytes += b.bytes;
  sum.rate = sum.bytes / (a.bytes / a.rate + b.bytes / b.rate);
  sum.rate_beside_copies = sum.bytes / (a.bytes / a.rate_beside_copies + b.bytes / b.rate_beside_copies);
  return sum;
}

// Adds the pieces in which a group of heads (or all heads) attends, one for each turn of the ring. `beside` is
// exchanged during the first turn, `pass` during all but the last.
void attend(Pieces& pieces, double seconds, int turns, const PlayExchange& pass, const PlayExchange& beside) {
  for (int turn = 0; turn < turns; ++turn) {
    const PlayExchange own = turn + 1 < turns ? pass : PlayExchange();
    pieces.push_back({seconds / turns, turn == 0 ? both(beside, own) : own});
  }
}

Pieces grouped_pieces(const Machine& machine, const RunPlan& plan, const BlockSeconds& seconds, int groups,
                      Draw& draw) {
  const double tensor = bytes_to_peers(plan) / groups, ring = bytes_round_ring(plan) / groups;
  const PlayExchange none;
  const PlayExchange scatter = tensor > 0 ? exchange_of(machine, plan, 3 * tensor, draw) : none;
  const PlayExchange gather = tensor > 0 ? exchange_of(machine, plan, tensor, draw) : none;
  const PlayExchange pass = ring > 0 ? exchange_of(machine, plan, ring, draw) : none;
  Pieces pieces{{seconds.before, scatter}};
  if (tensor > 0) pieces = {{seconds.before}, {0, scatter}};
  for (int group = 0; group < groups; ++group) {
    const PlayExchange beside = both(group + 1 < groups ? scatter : none, group > 0 ? gather : none);
    attend(pieces, seconds.attention / groups, plan.parallel.ring, pass, beside);
  }
  if (tensor > 0) pieces.push_back({0, gather});
  pieces.push_back({seconds.after});
  return pieces;
}

double seconds_of(const PlayExchange& exchange, Beside beside) {
  if (exchange.bytes == 0) return 0;
  const double rate = beside == Beside::copies ? exchange.rate_beside_copies : exchange.rate;
  return exchange.latency + exchange.bytes / rate;
}

// The seconds of pieces one after the other, with copies beside them all the time or never.
double seconds_of(const Pieces& pieces, Beside beside) {
  double seconds = 0;
  for (const PlayPiece& piece : pieces) seconds += std::max(piece.seconds, seconds_of(piece.exchange, beside));
  return seconds;
}

// The pieces of a block with the number of exchange groups that the run sets. Where the run leaves it to the warm-up,
// with the number that the warm-up chose in the probe, or, where that is not known, with the number that is fastest.
Pieces block_pieces(const Machine& machine, const RunPlan& plan, const BlockSeconds& seconds, Draw& draw) {
  Pieces fastest;
  std::vector<int> to_try = exchange_groups_to_try(plan);
  if (std::ranges::find(to_try, seconds.groups) != to_try.end()) to_try = {seconds.groups};
  for (const int groups : to_try) {
    Pieces pieces = grouped_pieces(machine, plan, seconds, groups, draw);
    if (fastest.empty() || seconds_of(pieces, Beside::nothing) < seconds_of(fastest, Beside::nothing))
      fastest = std::move(pieces);
  }
  return fastest;
}

// The factor, from `least` to `most`, with which the pieces take `seconds`. seconds_at(factor) says how long they take
// with a factor.
template <typename Scaled>
double share_for(double seconds, double least, double most, Scaled seconds_at) {
  constexpr int halvings = 40;
  for (int i = 0; i < halvings; ++i) {
    const double middle = (least + most) / 2;
    (seconds_at(middle) < seconds ? least : most) = middle;
  }
  return (least + most) / 2;
}

Pieces scaled(Pieces pieces, double share) {
  for (PlayPiece& piece : pieces) piece.seconds *= share;
  return pieces;
}

Pieces scaled_beside_copies(Pieces pieces, double share) {
  for (PlayPiece& piece : pieces) piece.exchange.rate_beside_copies /= share;
  return pieces;
}

// How long the exchanges of the pieces delay them.
double exposed_of(const Pieces& pieces) {
  double seconds = 0;
  for (const PlayPiece& piece : pieces) {
    seconds += std::max(0.0, seconds_of(piece.exchange, Beside::nothing) - piece.seconds);
  }
  return seconds;
}

// The pieces with `seconds` of waiting for peers, divided among the exchanges in proportion to the time by which each
// delays the block.
Pieces with_waiting(Pieces pieces, double seconds) {
  const double all = exposed_of(pieces);
  if (all == 0) return pieces;
  for (PlayPiece& piece : pieces) {
    const double exposed = std::max(0.0, seconds_of(piece.exchange, Beside::nothing) - piece.seconds);
    piece.exchange.latency += seconds * exposed / all;
  }
  return pieces;
}

// The pieces with faster computing, so that together they take `seconds` less.
Pieces with_faster_computing(const Pieces& pieces, double seconds) {
  const auto seconds_at = [&](double share) { return seconds_of(scaled(pieces, share), Beside::nothing); };
  constexpr double least = 0.5;  // computing keeps at least this share of its time
  return scaled(pieces, share_for(seconds_of(pieces, Beside::nothing) - seconds, least, 1, seconds_at));
}

// Changes the rates beside copies so that the block takes `seconds` while copies run all the time, though never less
// than without copies. This corrects the rates of exchanges that a probe measures beside copies alone: in a block,
// attention runs beside both.
Pieces with_copies_beside(Pieces pieces, double seconds) {
  const auto seconds_at = [&](double share) { return seconds_of(scaled_beside_copies(pieces, share), Beside::copies); };
  constexpr double least = 0.25, most = 4;
  const double share = share_for(std::max(seconds, seconds_of(pieces, Beside::nothing)), least, most, seconds_at);
  pieces = scaled_beside_copies(std::move(pieces), share);
  for (PlayPiece& piece : pieces) {
    piece.exchange.rate_beside_copies = std::min(piece.exchange.rate, piece.exchange.rate_beside_copies);
  }
  return pieces;
}

// The pieces as the probe's block with exchanges shows them. The probe had a link of its own; where the run's exchanges
// delay a block less than those of the probe did, the card rests less, and its computing gains less.
Pieces as_probed(Pieces pieces, const Machine& machine, const RunPlan& plan, const BlockSeconds& seconds, Draw& draw) {
  RunPlan probed = plan;
  probed.settings.link_bandwidth = machine.links.link_bandwidth;
  probed.settings.link = machine.links.link;
  const Pieces there = block_pieces(machine, probed, seconds, draw);
  const double longer = seconds.with_exchanges - seconds_of(there, Beside::nothing);
  if (longer >= 0) return with_waiting(std::move(pieces), longer);
  const double rest = exposed_of(there);
  return with_faster_computing(pieces, rest > 0 ? -longer * std::min(1.0, exposed_of(pieces) / rest) : 0);
}

bool chosen(Choice choice, bool measured_better) {
  switch (choice) {
    case Choice::off:
      return false;
    case Choice::automatic:
      return measured_better;
    case Choice::on:
      return true;
  }
  return false;
}

void set_transport(PlayRates& rates, const Machine& machine, const RunPlan& plan, Draw& draw) {
  const RunSettings& settings = plan.settings;
  rates.chunk_bytes = static_cast<double>(settings.chunk_bytes);
  const bool moves_weights = plan.memory.host_weights > 0 || plan.memory.host_shared > 0;
  if (plan.parallel.ranks == 1 || !moves_weights) return;
  double slowdown = 1;
  for (const PlayPiece& piece : rates.block) {
    if (piece.exchange.bytes == 0) continue;
    slowdown = std::max(slowdown, piece.exchange.rate / piece.exchange.rate_beside_copies);
  }
  const double step = blocks_of_step(plan, seconds_of(rates.block, Beside::nothing));
  const double copies = static_cast<double>(plan.moved.median_step) / rates.in;
  rates.yields = chosen(settings.yield_to_collectives, copies_yield(slowdown, copies, step));
  if (rates.yields && rates.chunk_bytes == 0) rates.chunk_bytes = static_cast<double>(chunk_where_copies_yield);
  if (settings.cooperative == Choice::off) return;
  const auto ranks = static_cast<double>(ranks_of_node(machine, plan));
  const PartRates parts = part_rates(machine, plan, {rates.in, rates.out, 0}, draw);
  const double together = 1 / ranks / parts.own + (ranks - 1) / ranks / parts.others;
  if (!chosen(settings.cooperative, copies_cooperate(1 / rates.in, together))) return;
  rates.sharers = static_cast<int>(ranks);
  rates.in = parts.own;
  rates.parts_rate = parts.others;
}

}  // namespace

PlayRates rank_rates(const Machine& machine, const RunPlan& plan, Draw& draw) {
  const BlockSeconds seconds = block_seconds(machine, plan, draw);
  PlayRates rates;
  rates.block = block_pieces(machine, plan, seconds, draw);
  if (seconds.with_exchanges > 0) {
    rates.block = as_probed(std::move(rates.block), machine, plan, seconds, draw);
  }
  if (seconds.beside_copies > 0 && !machine.links.emulated) {
    rates.block = with_copies_beside(std::move(rates.block), seconds.beside_copies);
  }
  rates.shared_block = {{seconds.shared}};
  // The device rests for nearly all of it: the host works, and the ranks tell each other to go on.
  rates.after_blocks = {{.exchange = {.latency = seconds.step}}};
  rates.waits = seconds.waits;
  if (plan.parallel.cfg > 1) {
    const auto bytes =
        static_cast<double>(plan.parallel.tokens_per_rank * plan.model.config.patch_values() * size_of(plan.type));
    rates.after_blocks.push_back({0, exchange_of(machine, plan, bytes, draw)});
  }
  const CopyRates copies = copy_rates(machine, plan, draw);
  rates.in = copies.in;
  rates.out = copies.out;
  rates.copy_latency = copies.latency;
  if (machine.links.computing_lost_per_gb.known()) {
    rates.computing_beside_copies = 1 / (1 + draw(machine.links.computing_lost_per_gb) * copies.in / giga);
  }
  set_transport(rates, machine, plan, draw);
  return rates;
}

double store_seconds(const Machine& machine, const RunPlan& plan, Draw& draw) {
  const auto bytes = static_cast<double>(plan.memory.host_shared + plan.parallel.ranks * plan.memory.host_weights);
  double seconds = 0;
  for (const Measured* rate : {&machine.host.fill_gb_per_second, &machine.host.register_gb_per_second}) {
    if (rate->known()) seconds += bytes / (giga * draw(*rate));
  }
  return seconds;
}

}  // namespace wansweep
