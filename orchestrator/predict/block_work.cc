// Where the machine has a measured block of the run's shape, its time is divided among the block's parts by their
// operations. Where it has none, each part takes its operations over the machine's rate for them.

#include "orchestrator/predict/block_work.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "orchestrator/machines/repeated_shapes.h"

namespace wansweep {
namespace {

constexpr double tera = 1e12;

// How many times the elementwise operations of worker/model/block.cc read or write a rank's tokens at full width,
// before and after attention. They are, in order: norm and modulation 2, splitting q, k and v with their norms 6,
// merging the heads 2, gated sum 3; then two norms 2 each, the norm of q 2, two gated sums 3 each.
constexpr double passes_before = 8;
constexpr double passes_after = 17;

using AllTimes = std::vector<const BlockTimes*>;

// The measured shapes whose blocks compute the same as those of `shape`. Where some of them also have its setting of
// exchange_groups, only those.
AllTimes times_of(const Machine& machine, const ProbeShape& shape) {
  AllTimes same, same_groups;
  for (const BlockTimes& each : machine.shapes) {
    if (!same_computing(shape, each.shape)) continue;
    same.push_back(&each);
    if (each.shape.exchange_groups == shape.exchange_groups) same_groups.push_back(&each);
  }
  return same_groups.empty() ? same : same_groups;
}

// The mean of `member` over the shapes where it is known; 0 where no shape has it.
double mean_of(const AllTimes& all, const Measured BlockTimes::*member, Draw& draw) {
  double sum = 0;
  int known = 0;
  for (const BlockTimes* each : all) {
    if (!(each->*member).known()) continue;
    sum += draw(each->*member);
    ++known;
  }
  return known == 0 ? 0 : sum / known;
}

// The rate, in TFLOP/s, for `rows` rows. Between two measured rates, it is interpolated over the logarithm of the rows.
double rate_at(std::span<const ComputeRate> rates, Precision precision, int64_t rows, const Machine& machine,
               const char* what, Draw& draw) {
  const ComputeRate* below = nullptr;
  const ComputeRate* above = nullptr;
  for (const ComputeRate& each : rates) {
    if (each.precision != precision) continue;
    if (each.rows <= rows && (below == nullptr || each.rows > below->rows)) below = &each;
    if (each.rows >= rows && (above == nullptr || each.rows < above->rows)) above = &each;
  }
  if (below == nullptr && above == nullptr) {
    throw bad_input(fmt::format("machine {} has neither a block of this shape nor a rate of {} in {}", machine.name,
                                what, name_of(precision)));
  }
  if (below == nullptr) below = above;
  if (above == nullptr) above = below;
  const double at_below = draw(below->tflops);
  if (below->rows == above->rows) return at_below;
  const auto position = [](int64_t value) { return std::log(static_cast<double>(value)); };
  const double share = (position(rows) - position(below->rows)) / (position(above->rows) - position(below->rows));
  return at_below + share * (draw(above->tflops) - at_below);
}

// The time of a block whose shape was not measured, from the machine's rates.
BlockSeconds seconds_by_rates(const Machine& machine, const ProbeShape& shape, const BlockWork& work, Draw& draw) {
  const ComputeRates& rates = machine.compute;
  const double product =
      tera * rate_at(rates.products, shape.precision, shape.tokens_per_rank, machine, "matrix products", draw);
  const double attention = tera * rate_at(rates.attention, shape.precision, shape.tokens_per_rank * shape.ulysses,
                                          machine, "attention", draw);
  const double memory =
      rates.elementwise_gb_per_second.known() ? giga * draw(rates.elementwise_gb_per_second) : INFINITY;
  BlockSeconds seconds;
  seconds.before = work.before / product + work.elementwise_before / memory;
  seconds.attention = work.attention / attention;
  const double cross = work.after_attention / attention;
  seconds.after = (work.after - work.after_attention) / product + cross + work.elementwise_after / memory;
  // A shared block starts after self-attention, and so without the product that makes self-attention's output.
  const auto dim = static_cast<double>(shape.dim()), rows = static_cast<double>(shape.tokens_per_rank);
  seconds.shared = seconds.after - 2 * rows * dim * dim / product;
  if (rates.step_seconds.known()) seconds.step = draw(rates.step_seconds);
  const double forwards = shape.guided && shape.cfg == 1 ? 2 : 1;
  seconds.step += forwards * 4 * rows * dim * static_cast<double>(shape.patch_values) / product;
  return seconds;
}

// A block's measured time, divided among its parts.
BlockSeconds seconds_by_shapes(const AllTimes& all_times, const Machine& machine, const ProbeShape& shape,
                               const BlockWork& work, Draw& draw) {
  const auto mean = [&](const Measured BlockTimes::*member) { return mean_of(all_times, member, draw); };
  const double block = mean(&BlockTimes::block);
  const double all = work.before + work.attention + work.after;
  BlockSeconds seconds;
  seconds.attention = block * work.attention / all;
  for (const ComputeRate& each : machine.compute.attention) {
    if (each.precision != shape.precision || each.rows != shape.tokens_per_rank * shape.ulysses) continue;
    constexpr double at_most = 0.95;  // largest share of the block that attention may take
    seconds.attention = std::min(at_most * block, work.attention / (tera * each.tflops.value));
  }
  seconds.before = (block - seconds.attention) * work.before / (work.before + work.after);
  seconds.after = block - seconds.attention - seconds.before;
  const double rest = mean(&BlockTimes::block_rest);
  seconds.shared = rest > 0 ? rest : seconds.after;
  // What a step takes outside its blocks depends on the number of its forwards too. So the very same shape is preferred
  // here to shapes that only have the same blocks.
  AllTimes exactly = all_times;
  std::erase_if(exactly, [&](const BlockTimes* each) { return each->shape != shape; });
  seconds.step = mean_of(exactly.empty() ? all_times : exactly, &BlockTimes::step_beside_blocks, draw);
  if (const double fastest = mean(&BlockTimes::share_of_fastest); fastest > 0) seconds.waits = 1 - fastest;
  for (const BlockTimes* each : all_times) {
    if (each->groups != 0) seconds.groups = static_cast<int>(each->groups);
  }
  seconds.with_exchanges = mean(&BlockTimes::block_with_exchanges);
  seconds.beside_copies = mean(&BlockTimes::block_with_exchanges_beside_copies);
  return seconds;
}

}  // namespace

BlockWork block_work(const ProbeShape& shape, bool keeps_text) {
  const auto m = static_cast<double>(shape.tokens_per_rank), n = static_cast<double>(shape.tokens);
  const auto d = static_cast<double>(shape.dim()), f = static_cast<double>(shape.ffn_dim);
  const auto t = static_cast<double>(shape.text_tokens);
  const double rows = m * shape.ulysses;
  const double value = shape.precision == Precision::fp32 ? 4 : 2;
  BlockWork work;
  work.before = 2 * m * d * 3 * d;
  work.attention = 4 * rows * n * static_cast<double>(shape.heads_of_rank * shape.head_dim);
  work.after_attention = 4 * m * t * d;
  const double text_rows = keeps_text ? 0 : t;
  work.after = 2 * m * d * d + (4 * m + 4 * text_rows) * d * d + work.after_attention + 4 * m * d * f;
  work.elementwise_before = passes_before * m * d * value;
  work.elementwise_after = passes_after * m * d * value;
  return work;
}

void BlockSeconds::multiply_computing(double factor) {
  for (double* measured : {&with_exchanges, &beside_copies}) {
    if (*measured > 0) *measured += (factor - 1) * total();
  }
  for (double* each : {&before, &attention, &after, &shared, &step}) *each *= factor;
}

BlockSeconds block_seconds(const Machine& machine, const RunPlan& plan, Draw& draw) {
  const ProbeShape shape = probe_shape_of(plan);
  const BlockWork work = block_work(shape, plan.activations.keeps_text);
  const AllTimes times = times_of(machine, shape);
  if (times.empty() && plan.settings.share_device) {
    throw bad_input(
        fmt::format("machine {} has no block of this shape, and its rates are of one rank a GPU", machine.name));
  }
  BlockSeconds seconds = times.empty() ? seconds_by_rates(machine, shape, work, draw)
                                       : seconds_by_shapes(times, machine, shape, work, draw);
  const Measured& doubt = machine.play_doubt.computing;
  if (doubt.known()) seconds.multiply_computing(draw(doubt));
  return seconds;
}

}  // namespace wansweep
