#include "worker/probe/bench.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/units.h"
#include "worker/weights/weight_source.h"

namespace wansweep {

namespace {

constexpr int most_blocks = 4;  // enough that the blocks of a large model exceed any cache
constexpr int64_t most_beside_copy = int64_t{256} << 20;
constexpr int64_t least_copied = int64_t{64} << 10;
constexpr double copy_s = 0.02;  // how long a copy beside other work should take, so that copying can stop soon

}  // namespace

void Bench::check_room(const RunPlan& run, const Device& device) {
  const int64_t block = run.weights.block;
  const int64_t blocks = std::clamp(run.model.config.layers, 1, most_blocks) + 1;  // one more for copies_beside
  const int64_t needed = activation_bytes(run.activations, run.parallel).total() + blocks * block;
  const int64_t limit = device.memory_use().device_limit;
  if (needed <= limit) return;
  throw Error(
      ExitCode::device_memory,
      fmt::format("device memory: {:.2f} GiB are needed for activations and {} blocks, the device has {:.2f} GiB",
                  to_gib(needed), blocks, to_gib(limit)));
}

Bench::Bench(MpiWorld& world, const Backend& backend, Timer& timer, ProbeRecord& record, RunPlan plan, int shape)
    : world(world),
      backend(backend),
      device(*backend.device),
      timer(timer),
      run(std::move(plan)),
      workspace(device, run.activations, run.parallel),
      untraced(device, nullptr, TraceDetail::block),
      record_(record),
      shape_(shape),
      no_exchanges_(device, backend.communicator ? backend.communicator->kind() : CommunicatorKind::automatic),
      exchanging_{device, backend.communicator.get(), untraced, workspace, run, world.rank()},
      computing_{device, backend.communicator ? &no_exchanges_ : nullptr, untraced, workspace, run, world.rank()},
      finish_(device) {
  warm_ = warm_up(exchanging_, world);
  exchange_groups = exchanging_.exchange_groups = computing_.exchange_groups = warm_.exchange_groups;
  load_blocks();
}

// Loads random weights, whatever weights the run has: the time of a product does not depend on the values.
void Bench::load_blocks() {
  const int64_t bytes = run.weights.block;
  block_count_ = std::clamp(run.model.config.layers, 1, most_blocks);
  blocks_ = device.allocate(block_count_ * bytes, "blocks to measure with");
  const Buffer host = device.allocate_host(bytes, HostMemory::pageable, "a block to measure with");
  const std::unique_ptr<WeightSource> source = random_weights(1, run.model.config, run.type);
  for (int block = 0; block < block_count_; ++block) {
    source->read(0, block, host.data());
    device.copy_in(StreamId::compute, blocks_.data() + block * bytes, host.data(), bytes);
    device.synchronize();
  }
}

const std::byte* Bench::next_block() {
  next_ = (next_ + 1) % block_count_;
  return blocks_.data() + next_ * run.weights.block;
}

const BesideWork& Bench::copies_beside() {
  if (copies_.enqueue) return copies_;
  const int64_t room = std::min(run.weights.block, most_beside_copy);
  copied_device_ = device.allocate(room, "weights to copy beside");
  copied_host_ = device.allocate_host(room, HostMemory::pinned, "weights to copy beside");
  std::fill_n(copied_host_.data(), room, std::byte{0});
  int64_t bytes = std::min(room, least_copied);
  const auto copy = [this](int64_t size) {
    return Work{StreamId::copy,
                [this, size] { device.copy_in(StreamId::copy, copied_device_.data(), copied_host_.data(), size); }};
  };
  double seconds = timer.once(copy(bytes));
  for (; bytes < room && seconds < copy_s / 2; seconds = timer.once(copy(bytes))) bytes = std::min(room, 2 * bytes);
  copies_ = {StreamId::copy, copy(bytes).enqueue, std::max(timer.once(copy(bytes)), 1e-6)};
  return copies_;
}

void Bench::add(ProbeSample sample, RankSeconds seconds) {
  if (seconds.slowest.empty())
    return leave_out(sample.what, "what was to run beside it could not be kept running in the time there was");
  sample.seconds = std::move(seconds.slowest);
  sample.fastest_seconds = std::move(seconds.fastest);
  if (const std::optional<DevicePower> power = device.power()) {
    sample.power_mw = power->power_mw;
    sample.sm_clock_mhz = power->sm_clock_mhz;
  }
  record_.samples.push_back(std::move(sample));
}

void Bench::add_of_shape(ProbeSample sample, RankSeconds seconds) {
  sample.shape = shape_;
  add(std::move(sample), std::move(seconds));
}

void Bench::leave_out(ProbeWhat what, const std::string& why) { record_.not_measured.push_back({what, why}); }

}  // namespace wansweep
