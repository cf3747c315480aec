#include "orchestrator/predict/run_links.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace wansweep {
namespace {

constexpr double turn_bytes = 256.0 * 1024;  // bytes of one turn on the emulated link

bool takes_emulated_link(const Machine& machine, const RunPlan& plan) {
  return machine.links.emulated && plan.settings.link_bandwidth > 0;
}

double wire_rate(const RunPlan& plan) { return plan.settings.link_bandwidth * giga; }

// The number of ranks that take turns on one wire.
double users_of_wire(const Machine& machine, const RunPlan& plan) {
  return plan.settings.link == LinkSharing::shared ? static_cast<double>(ranks_of_node(machine, plan)) : 1;
}

// Bytes a second of each of `ranks` ranks that copy at the same time; nullopt: the machine has no such rate.
std::optional<double> copy_rate(const Machine& machine, Way way, HostMemory memory, int64_t ranks, Beside beside,
                                Draw& draw) {
  const CopyRate* at_least = nullptr;  // the rate of the smallest measured count that is `ranks` or more
  const CopyRate* most = nullptr;      // the rate of the largest measured count
  for (const CopyRate& each : machine.links.copies) {
    if (each.way != way || each.memory != memory || each.beside != beside) continue;
    if (each.ranks >= ranks && (at_least == nullptr || each.ranks < at_least->ranks)) at_least = &each;
    if (most == nullptr || each.ranks > most->ranks) most = &each;
  }
  if (at_least != nullptr) return giga * draw(at_least->gb_per_second);
  if (most == nullptr) return std::nullopt;
  return giga * draw(most->gb_per_second) * static_cast<double>(most->ranks) / static_cast<double>(ranks);
}

double known_copy_rate(const Machine& machine, Way way, HostMemory memory, int64_t ranks, Draw& draw) {
  const std::optional<double> rate = copy_rate(machine, way, memory, ranks, Beside::nothing, draw);
  if (rate) return *rate;
  throw bad_input(fmt::format("machine {} has no rate of copies {} and {} memory", machine.name,
                              way == Way::in ? "to the device" : "to the host", name_of(memory)));
}

// The rate of the smallest measured count that is `ranks` or more, else that of the largest. Null: there is no rate.
const ExchangeRate* exchange_rate(const Machine& machine, int64_t ranks, Beside beside) {
  const ExchangeRate* found = nullptr;
  for (const ExchangeRate& each : machine.links.exchanges) {
    if (each.beside != beside) continue;
    const bool fits = each.ranks >= ranks, found_fits = found != nullptr && found->ranks >= ranks;
    if (found == nullptr || (fits && (!found_fits || each.ranks < found->ranks)) ||
        (!fits && !found_fits && each.ranks > found->ranks)) {
      found = &each;
    }
  }
  return found;
}

PlayExchange on_emulated_link(const Machine& machine, const RunPlan& plan, double bytes) {
  const double users = users_of_wire(machine, plan), rate = wire_rate(plan);
  const double copy_turn = std::min(turn_bytes, static_cast<double>(plan.weights.block));
  // A turn of every copy comes before each turn of the exchange; the first of them was under way, half over on average.
  const double turns = std::ceil(bytes / turn_bytes) - 0.5;
  const double alone = users * bytes / rate;
  const double beside = alone + turns * users * copy_turn / rate;
  PlayExchange exchange;
  exchange.bytes = bytes;
  exchange.rate = bytes / alone;
  exchange.rate_beside_copies = bytes / beside;
  exchange.copy_rate = turns * copy_turn / beside;
  return exchange;
}

}  // namespace

int64_t ranks_of_node(const Machine& machine, const RunPlan& plan) {
  const auto ranks = static_cast<int64_t>(plan.parallel.ranks);
  if (plan.settings.backend == BackendKind::cpu || plan.settings.share_device || ranks <= machine.gpus_per_node) {
    return ranks;
  }
  throw bad_input(
      fmt::format("machine {} has {} GPUs a node, and no rates of exchanges between nodes: {} ranks need "
                  "more than one",
                  machine.name, machine.gpus_per_node, ranks));
}

CopyRates copy_rates(const Machine& machine, const RunPlan& plan, Draw& draw) {
  CopyRates rates;
  if (machine.links.copy_latency.known()) rates.latency = draw(machine.links.copy_latency);
  if (takes_emulated_link(machine, plan)) {
    rates.in = rates.out = wire_rate(plan) / users_of_wire(machine, plan);
    return rates;
  }
  const HostMemory memory = plan.settings.host_memory;
  const int64_t ranks = ranks_of_node(machine, plan);
  const auto together = [&](const Measured& doubt) { return ranks > 1 && doubt.known() ? draw(doubt) : 1; };
  rates.in = known_copy_rate(machine, Way::in, memory, ranks, draw) * together(machine.play_doubt.in_together);
  rates.out = rates.in;
  if (plan.settings.offload != OffloadMode::swap) return rates;
  rates.out = known_copy_rate(machine, Way::out, memory, ranks, draw) * together(machine.play_doubt.out_together);
  return rates;
}

PlayExchange exchange_of(const Machine& machine, const RunPlan& plan, double bytes, Draw& draw) {
  const int64_t ranks = ranks_of_node(machine, plan);
  const ExchangeRate* alone = exchange_rate(machine, ranks, Beside::nothing);
  if (alone == nullptr) throw bad_input(fmt::format("machine {} has no rate of exchanges", machine.name));
  PlayExchange exchange;
  if (takes_emulated_link(machine, plan)) {
    exchange = on_emulated_link(machine, plan, bytes);
  } else {
    exchange.bytes = bytes;
    exchange.rate = giga * draw(alone->gb_per_second);
    const ExchangeRate* beside = exchange_rate(machine, ranks, Beside::copies);
    exchange.rate_beside_copies = beside != nullptr ? giga * draw(beside->gb_per_second) : exchange.rate;
    const HostMemory memory = plan.settings.host_memory;
    const std::optional<double> copies = copy_rate(machine, Way::in, memory, ranks, Beside::exchange, draw);
    exchange.copy_rate = copies.value_or(0);
    if (!copies) exchange.copy_rate = copy_rate(machine, Way::in, memory, ranks, Beside::nothing, draw).value_or(1);
  }
  if (alone->latency.known()) exchange.latency = draw(alone->latency);
  return exchange;
}

PartRates part_rates(const Machine& machine, const RunPlan& plan, const CopyRates& copies, Draw& draw) {
  const auto ranks = static_cast<double>(ranks_of_node(machine, plan));
  if (takes_emulated_link(machine, plan) || machine.links.exchanges_take == Wire::copies) {
    // A rank's own part and the parts of the others go over the same wire; its own part is one of `ranks` parts.
    return {copies.in / ranks, copies.in * (ranks - 1) / ranks};
  }
  const ExchangeRate* exchange = exchange_rate(machine, ranks_of_node(machine, plan), Beside::copies);
  if (exchange == nullptr) exchange = exchange_rate(machine, ranks_of_node(machine, plan), Beside::nothing);
  if (exchange == nullptr) throw bad_input(fmt::format("machine {} has no rate of exchanges", machine.name));
  return {copies.in, giga * draw(exchange->gb_per_second)};
}

}  // namespace wansweep
