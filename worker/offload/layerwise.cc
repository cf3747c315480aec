// SGLang's layerwise manager (PR #16150, #17693), with a fixed pool of block slots in place of a caching allocator, so
// that peak memory is known and a slot's next copy waits for exactly the work that used it.
//
// Before block i: when i is 0, blocks 0 .. P-1 are fetched if they are not there; the compute stream waits for block i;
// and when P divides i, blocks i+P .. i+2P-1 are fetched, modulo the number of blocks. After block i its slot is free.
// At the switch nothing special happens: both experts keep what they fetched ahead.

#include <fmt/format.h>

#include "base/error.h"
#include "schema/memory_estimate.h"
#include "worker/offload/offload.h"

namespace wansweep {

namespace {

constexpr int nowhere = -1;

class Layerwise : public Offload {
 public:
  explicit Layerwise(const OffloadRequest& request)
      : device_(request.device), recorder_(request.recorder), experts_(request.experts), ahead_(request.prefetch) {
    const int layers = static_cast<int>(experts_.front().blocks.size());
    const int slots = layerwise_slots(layers, ahead_, static_cast<int>(experts_.size()));
    block_bytes_ = experts_.front().block.bytes;
    memory_ = device_.allocate(block_bytes_ * slots, fmt::format("{} block slots", slots));
    slots_.resize(static_cast<size_t>(slots));
    for (size_t expert = 0; expert < experts_.size(); ++expert) {
      const ExpertWeights& host = experts_[expert];
      held_.emplace_back(host.blocks.size());
      rest_.push_back(device_.allocate(host.other.bytes, fmt::format("expert {} outside its blocks", expert + 1)));
      device_.copy_in(StreamId::copy, rest_.back().data(), host.rest, host.other.bytes);
      for (int block = 0; block < std::min(ahead_, layers); ++block) fetch(static_cast<int>(expert), block);
    }
    device_.synchronize();
  }

  void begin_step(int) override {}

  const std::byte* acquire(int expert, int block) override {
    const int layers = static_cast<int>(held_[static_cast<size_t>(expert)].size());
    if (block == 0) {
      for (int i = 0; i < std::min(ahead_, layers); ++i) fetch(expert, i);
    }
    fetch(expert, block);
    const Held held = at(expert, block);
    recorder_.wait(held.ready, StallCause::weights);
    if (block % ahead_ == 0) {
      for (int i = 0; i < ahead_; ++i) fetch(expert, (block + ahead_ + i) % layers);
    }
    return memory_.data() + block_bytes_ * held.slot;
  }

  void release(int expert, int block) override {
    Held& held = at(expert, block);
    Slot& slot = slots_[static_cast<size_t>(held.slot)];
    slot.last_use = device_.record(StreamId::compute);
    slot.taken = false;
    held = Held{};
  }

  const std::byte* rest(int expert) override { return rest_[static_cast<size_t>(expert)].data(); }

 private:
  struct Slot {
    bool taken = false;
    Event last_use;
  };
  struct Held {
    int slot = nowhere;
    Event ready;
  };

  Held& at(int expert, int block) { return held_[static_cast<size_t>(expert)][static_cast<size_t>(block)]; }

  void fetch(int expert, int block) {
    Held& held = at(expert, block);
    if (held.slot != nowhere) return;
    held.slot = take_slot();
    const Slot& slot = slots_[static_cast<size_t>(held.slot)];
    if (slot.last_use) device_.wait(StreamId::copy, slot.last_use);
    const Recorder::Span span = recorder_.begin(EventKind::h2d, StreamId::copy);
    device_.copy_in(StreamId::copy, memory_.data() + block_bytes_ * held.slot,
                    experts_[static_cast<size_t>(expert)].blocks[static_cast<size_t>(block)], block_bytes_);
    recorder_.end(span, block_bytes_, expert + 1);
    held.ready = device_.record(StreamId::copy);
  }

  // The free slot that has been free longest: its last use is the likeliest to be over.
  int take_slot() {
    for (size_t i = 0; i < slots_.size(); ++i) {
      const size_t index = (next_slot_ + i) % slots_.size();
      if (slots_[index].taken) continue;
      slots_[index].taken = true;
      next_slot_ = (index + 1) % slots_.size();
      return static_cast<int>(index);
    }
    throw Error(ExitCode::internal, fmt::format("layerwise: all {} block slots are taken", slots_.size()));
  }

  Device& device_;
  Recorder& recorder_;
  std::vector<ExpertWeights>& experts_;
  int ahead_ = 1;
  int64_t block_bytes_ = 0;
  Buffer memory_;
  std::vector<Slot> slots_;
  size_t next_slot_ = 0;
  std::vector<std::vector<Held>> held_;  // by expert, by block
  std::vector<Buffer> rest_;
};

}  // namespace

std::unique_ptr<Offload> make_layerwise(const OffloadRequest& request) { return std::make_unique<Layerwise>(request); }

std::unique_ptr<Offload> make_offload(OffloadMode mode, const OffloadRequest& request) {
  switch (mode) {
    case OffloadMode::resident:
      return make_resident(request);
    case OffloadMode::swap:
      return make_swap(request);
    case OffloadMode::layerwise:
      return make_layerwise(request);
  }
  throw Error(ExitCode::internal, "an offload mode has no implementation");
}

}  // namespace wansweep
