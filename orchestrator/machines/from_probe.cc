// Each number of the machine comes from the samples of one measurement: of the same kind, in the same direction, and
// beside the same other work. A shape's times are means, because a run adds up the times of its blocks. The time of a
// step outside its blocks is the time of a short step less that of its blocks. Rates of copies and exchanges come from
// lines of seconds over bytes, fitted three times: to the medians, to the 10th and to the 90th percentiles.

#include "orchestrator/machines/from_probe.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "orchestrator/machines/repeated_shapes.h"
#include "orchestrator/machines/spread.h"

namespace wansweep {
namespace {

constexpr double disturbed = 1.5;  // exchanges and copies that slow each other down by more in all share a wire

std::string origin_of(const ProbeRecord& record, ProbeWhat what) {
  return fmt::format("probe of {} on {}, wansweep {}: {}", record.finished_at.substr(0, 10), record.machine.host,
                     record.git_revision, name_of(what));
}

int ranks_on_node(const ProbeRecord& record, int ranks) {
  return record.machine.node_ranks.empty() ? ranks : std::min(ranks, record.machine.node_ranks.front());
}

// The median time of a sample.
Measured seconds_of(const ProbeRecord& record, const ProbeSample& sample) {
  return spread_of(sample.seconds, origin_of(record, sample.what));
}

// The sample of `what` at one shape with this `beside`, and of this many layers where `layers` says. Null: there is
// none.
const ProbeSample* sample_at(const ProbeRecord& record, int shape, ProbeWhat what, Beside beside = Beside::nothing,
                             std::optional<int64_t> layers = {}) {
  for (const ProbeSample& sample : record.samples) {
    const bool same = sample.what == what && sample.shape == shape && sample.beside == beside;
    if (same && sample.sizes[0] == layers.value_or(sample.sizes[0])) return &sample;
  }
  return nullptr;
}

// The mean time of the sample that sample_at finds. Unknown when there is none.
Measured seconds_at(const ProbeRecord& record, int shape, ProbeWhat what, Beside beside = Beside::nothing,
                    std::optional<int64_t> layers = {}) {
  const ProbeSample* sample = sample_at(record, shape, what, beside, layers);
  return sample != nullptr ? mean_with_spread(sample->seconds, origin_of(record, what)) : Measured();
}

// `whole` less the sum of `parts`, each times its factor. Their errors are taken as independent. Unknown when a part is
// unknown, or when nothing is left.
Measured less(const Measured& whole, const std::vector<std::pair<double, Measured>>& parts) {
  Measured rest = whole;
  double down = whole.value - whole.low, up = whole.high - whole.value;
  down *= down;
  up *= up;
  for (const auto& [times, part] : parts) {
    if (!part.known()) return {};
    rest.value -= times * part.value;
    down += std::pow(times * (part.high - part.value), 2);
    up += std::pow(times * (part.value - part.low), 2);
  }
  if (!whole.known()) return {};
  rest.low = rest.value - std::sqrt(down);
  rest.high = rest.value + std::sqrt(up);
  return above_zero(rest);
}

// What a step takes outside its blocks: a short step less its blocks. The short step with the most blocks tells it
// best, because it contains most of any difference between blocks in the loop and blocks measured alone.
Measured step_beside_blocks(const ProbeRecord& record, int shape, const BlockTimes& times) {
  const bool exchanging = times.block_with_exchanges.known();
  const Measured& block = exchanging ? times.block_with_exchanges : times.block;
  const Measured& rest = exchanging ? times.block_rest_with_exchanges : times.block_rest;
  const double forwards = times.shape.guided && times.shape.cfg == 1 ? 2 : 1;
  std::vector<int64_t> layers;
  for (const ProbeSample& sample : record.samples) {
    if (sample.what == ProbeWhat::short_step && sample.shape == shape) layers.push_back(sample.sizes[0]);
  }
  std::ranges::sort(layers, std::greater<>());
  for (const int64_t count : layers) {
    const Measured step = seconds_at(record, shape, ProbeWhat::short_step, Beside::nothing, count);
    std::vector<std::pair<double, Measured>> blocks{{forwards * static_cast<double>(count), block}};
    if (forwards > 1) blocks = {{forwards * static_cast<double>(count) - 1, block}, {1, rest}};
    if (const Measured left = less(step, blocks); left.known()) return left;
  }
  return {};
}

BlockTimes block_times(const ProbeRecord& record, int shape) {
  BlockTimes times;
  times.shape = record.shapes[static_cast<size_t>(shape)];
  times.block = seconds_at(record, shape, ProbeWhat::block_forward);
  if (const ProbeSample* block = sample_at(record, shape, ProbeWhat::block_forward); block != nullptr) {
    std::vector<double> shares;
    for (size_t i = 0; i < block->seconds.size(); ++i) shares.push_back(block->fastest_seconds[i] / block->seconds[i]);
    times.share_of_fastest = mean_with_spread(shares, origin_of(record, ProbeWhat::block_forward));
  }
  if (const ProbeSample* block = sample_at(record, shape, ProbeWhat::block_with_exchanges); block != nullptr) {
    times.groups = block->sizes[0];
  }
  times.block_rest = seconds_at(record, shape, ProbeWhat::block_rest);
  times.block_with_exchanges = seconds_at(record, shape, ProbeWhat::block_with_exchanges);
  times.block_rest_with_exchanges = seconds_at(record, shape, ProbeWhat::block_rest_with_exchanges);
  times.block_beside_copies = seconds_at(record, shape, ProbeWhat::block_forward, Beside::copies);
  times.block_with_exchanges_beside_copies = seconds_at(record, shape, ProbeWhat::block_with_exchanges, Beside::copies);
  times.step_beside_blocks = step_beside_blocks(record, shape, times);
  return times;
}

void add_shapes(Machine& machine, const ProbeRecord& record) {
  for (size_t shape = 0; shape < record.shapes.size(); ++shape) {
    const BlockTimes times = block_times(record, static_cast<int>(shape));
    if (times.block.known()) machine.shapes.push_back(times);
  }
}

// Adds a rate for each precision and number of rows: the operations of all samples of `what`, over their seconds. So
// the rate of products is that of all of a block's products together.
void add_rates(std::vector<ComputeRate>& rates, std::span<const ProbeRecord> records, ProbeWhat what) {
  struct Sum {
    double operations = 0;
    Measured seconds;
  };
  std::map<std::pair<Precision, int64_t>, Sum> sums;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      if (sample.what != what || !sample.shape) continue;
      const Measured seconds = seconds_of(record, sample);
      const Precision precision = record.shapes[static_cast<size_t>(*sample.shape)].precision;
      Sum& sum = sums[{precision, sample.sizes[0]}];
      sum.operations += sample.operations;
      sum.seconds = {sum.seconds.value + seconds.value, sum.seconds.low + seconds.low, sum.seconds.high + seconds.high,
                     sum.seconds.samples + seconds.samples, seconds.origin};
    }
  }
  for (const auto& [key, sum] : sums) {
    rates.push_back({key.first, key.second, rate_of(sum.operations / 1e12, sum.seconds)});
  }
}

// Latency and rate from samples of several sizes: three lines of seconds over bytes are fitted, as the top says.
struct SizeFit {
  Measured latency, gb_per_second;
};
SizeFit fit_sizes(const std::vector<std::pair<int64_t, Measured>>& samples) {
  std::vector<Point> middle, low, high;
  SizeFit fit;
  for (const auto& [bytes, seconds] : samples) {
    const auto x = static_cast<double>(bytes);
    middle.push_back({x, seconds.value});
    low.push_back({x, seconds.low});
    high.push_back({x, seconds.high});
    fit.latency.samples += seconds.samples;
    fit.latency.origin = seconds.origin;
  }
  const Line best = fit_line(middle);
  const Line fast = fit_line(low), slow = fit_line(high);
  fit.gb_per_second = fit.latency;  // samples and origin
  const auto set = [](Measured& to, double value, double one, double other) {
    to.value = value;
    to.low = std::min({value, one, other});
    to.high = std::max({value, one, other});
  };
  set(fit.latency, best.at_zero, fast.at_zero, slow.at_zero);
  fit.latency = above_zero(fit.latency);
  if (best.slope <= 0) {
    fit.gb_per_second = {};
  } else {
    const auto rate = [&](const Line& line) { return line.slope > 0 ? 1e-9 / line.slope : 1e-9 / best.slope; };
    set(fit.gb_per_second, rate(best), rate(fast), rate(slow));
  }
  return fit;
}

void add_copies(Links& links, std::span<const ProbeRecord> records) {
  using Key = std::tuple<Way, HostMemory, int, Beside>;
  std::map<Key, std::vector<std::pair<int64_t, Measured>>> found;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      const bool in = sample.what == ProbeWhat::copy_in;
      if ((!in && sample.what != ProbeWhat::copy_out) || !sample.memory) continue;
      const int ranks = ranks_on_node(record, sample.ranks);
      found[{in ? Way::in : Way::out, *sample.memory, ranks, sample.beside}].emplace_back(sample.bytes,
                                                                                          seconds_of(record, sample));
    }
  }
  for (const auto& [key, samples] : found) {
    const auto& [way, memory, ranks, beside] = key;
    const SizeFit fit = fit_sizes(samples);
    if (fit.gb_per_second.known()) links.copies.push_back({way, memory, ranks, beside, fit.gb_per_second});
    const bool plain = way == Way::in && memory == HostMemory::pinned && ranks == 1 && beside == Beside::nothing;
    if (plain && samples.size() > 1) links.copy_latency = fit.latency;
  }
}

void add_exchanges(Links& links, std::span<const ProbeRecord> records) {
  std::map<std::pair<int64_t, Beside>, std::vector<std::pair<int64_t, Measured>>> found;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      if (sample.what != ProbeWhat::exchange) continue;
      found[{sample.sizes[0], sample.beside}].emplace_back(sample.bytes, seconds_of(record, sample));
    }
  }
  for (const auto& [key, samples] : found) {
    const SizeFit fit = fit_sizes(samples);
    if (fit.gb_per_second.known()) {
      links.exchanges.push_back({key.first, key.second, fit.latency, fit.gb_per_second});
    }
  }
}

// The largest factor by which an exchange takes longer beside copies than alone.
double slowdown_of_exchanges(std::span<const ProbeRecord> records) {
  double most = 1;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& alone : record.samples) {
      if (alone.what != ProbeWhat::exchange || !alone.shape || alone.beside != Beside::nothing) continue;
      for (const ProbeSample& beside : record.samples) {
        if (beside.what != alone.what || beside.shape != alone.shape || beside.bytes != alone.bytes) continue;
        most = std::max(most, seconds_of(record, beside).value / seconds_of(record, alone).value);
      }
    }
  }
  return most;
}

double slowdown_of_copies(const Links& links) {
  double most = 1;
  for (const CopyRate& alone : links.copies) {
    if (alone.way != Way::in || alone.memory != HostMemory::pinned || alone.beside != Beside::nothing) continue;
    for (const CopyRate& beside : links.copies) {
      if (beside.way != alone.way || beside.memory != alone.memory || beside.ranks != alone.ranks) continue;
      if (beside.beside != Beside::exchange) continue;
      most = std::max(most, alone.gb_per_second.value / beside.gb_per_second.value);
    }
  }
  return most;
}

const CopyRate* copies_in(const Links& links, HostMemory memory, int64_t ranks) {
  for (const CopyRate& rate : links.copies) {
    const bool plain = rate.way == Way::in && rate.beside == Beside::nothing;
    if (plain && rate.memory == memory && rate.ranks == ranks) return &rate;
  }
  return nullptr;
}

// A block computes longer while copies run without a pause. The extra seconds are divided by the GB that would be
// copied in the time that the block takes alone; rank_rates.cc applies the result in the same way. The spread is over
// all shapes. Beside slow copies a block takes hardly longer, and what its time varies by anyway, divided by few GB,
// would pass for a great loss: only the fastest copies count, and those at half of their rate or more. The result is
// unknown where no shape takes longer.
Measured computing_lost_per_gb(const Machine& machine, std::span<const ProbeRecord> records) {
  struct Lost {
    double rate, per_gb;
  };
  std::vector<Lost> all;
  double fastest = 0;
  std::string origin;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      const bool beside = sample.what == ProbeWhat::block_forward && sample.beside == Beside::copies;
      if (!beside || !sample.shape || !sample.memory) continue;
      const CopyRate* rate = copies_in(machine.links, *sample.memory, ranks_on_node(record, sample.ranks));
      const Measured alone = seconds_at(record, *sample.shape, ProbeWhat::block_forward);
      if (rate == nullptr || !alone.known()) continue;
      const double gb_per_second = rate->gb_per_second.value;
      fastest = std::max(fastest, gb_per_second);
      for (const double seconds : sample.seconds) {
        all.push_back({gb_per_second, (seconds - alone.value) / (alone.value * gb_per_second)});
      }
      origin = origin_of(record, ProbeWhat::block_forward) + " beside copies";
    }
  }
  std::vector<double> lost;
  for (const Lost& each : all) {
    if (each.rate >= fastest / 2) lost.push_back(each.per_gb);
  }
  return above_zero(mean_with_spread(lost, origin));
}

// The rate of all ranks of a node together, from the record with the most ranks.
Measured host_rate(std::span<const ProbeRecord> records, ProbeWhat what) {
  Measured rate;
  int most = 0;
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      const int ranks = ranks_on_node(record, sample.ranks);
      if (sample.what != what || ranks < most) continue;
      most = ranks;
      rate = rate_of(1e-9 * static_cast<double>(sample.bytes) * ranks, seconds_of(record, sample));
    }
  }
  return rate;
}

void check_one_machine(std::span<const ProbeRecord> records) {
  if (records.empty()) throw bad_input("a machine needs one probe at least");
  const ProbedMachine& first = records.front().machine;
  for (const ProbeRecord& record : records) {
    const ProbedMachine& each = record.machine;
    if (each.device == first.device && each.driver == first.driver && each.backend == first.backend) continue;
    throw bad_input(
        fmt::format("probes of two machines: {} with driver {} on {}, and {} with driver {} on {}; make a "
                    "file of each",
                    first.device, first.driver, first.host, each.device, each.driver, each.host));
  }
}

}  // namespace

Machine machine_from(std::span<const ProbeRecord> records, const std::string& name) {
  check_one_machine(records);
  const ProbeRecord& last = records.back();
  const ProbedMachine& on = last.machine;
  Machine machine;
  machine.name = name;
  machine.source = MachineSource::probe;
  machine.measured_at = last.finished_at;
  machine.measured_on = on.host;
  machine.wansweep = fmt::format("{} ({})", last.wansweep_version, last.git_revision);
  machine.backend = on.backend;
  machine.play_doubt = measured_play_doubt(on.backend);
  machine.card = on.device;
  machine.driver = on.driver;
  machine.cores = on.processors;
  machine.device_memory_gib = to_gib(on.device_memory);
  machine.power_watts = static_cast<double>(on.power_limit_mw.value_or(0)) / 1000;
  machine.host.memory_gib = to_gib(on.host_memory);
  for (const ProbeRecord& record : records) {
    machine.gpus_per_node =
        std::max<int64_t>(machine.gpus_per_node, on.gpus > 0 ? on.gpus : ranks_on_node(record, record.ranks));
    add_shapes(machine, record);
  }
  share_spreads(machine.shapes);
  add_rates(machine.compute.products, records, ProbeWhat::product);
  add_rates(machine.compute.attention, records, ProbeWhat::attention);
  for (const ProbeRecord& record : records) {
    for (const ProbeSample& sample : record.samples) {
      if (sample.what != ProbeWhat::elementwise) continue;
      machine.compute.elementwise_gb_per_second =
          rate_of(1e-9 * static_cast<double>(sample.bytes), seconds_of(record, sample));
    }
  }
  // The host's work shows best at the shape with the least to compute, where a step takes the least beside its blocks.
  for (const BlockTimes& times : machine.shapes) {
    const Measured& beside = times.step_beside_blocks;
    Measured& least = machine.compute.step_seconds;
    if (beside.known() && (!least.known() || beside.value < least.value)) least = beside;
  }
  machine.links.emulated = on.link_bandwidth > 0;
  machine.links.link_bandwidth = on.link_bandwidth;
  machine.links.link = on.link;
  add_copies(machine.links, records);
  add_exchanges(machine.links, records);
  const double slower = slowdown_of_exchanges(records) * slowdown_of_copies(machine.links);
  machine.links.exchanges_take = machine.links.emulated || slower > disturbed ? Wire::copies : Wire::own;
  machine.links.computing_lost_per_gb = computing_lost_per_gb(machine, records);
  machine.host.fill_gb_per_second = host_rate(records, ProbeWhat::fill);
  machine.host.register_gb_per_second = host_rate(records, ProbeWhat::pin);
  return machine;
}

}  // namespace wansweep
