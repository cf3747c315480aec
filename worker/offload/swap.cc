// What SGLang does without layerwise offload: `off.to("cpu")`, then `use.to(device)`, one after the other, nothing else
// meanwhile. The expert that leaves is copied out although the host could have kept it: that is what is being measured.

#include "worker/offload/offload.h"

namespace wansweep {

namespace {

class Swap : public Offload {
 public:
  explicit Swap(const OffloadRequest& request)
      : device_(request.device), recorder_(request.recorder), experts_(request.experts) {
    memory_ = device_.allocate(experts_.front().bytes(), "the active expert");
  }

  void begin_step(int expert) override {
    if (expert == active_) return;
    const Event idle = device_.record(StreamId::compute);
    device_.wait(StreamId::copy, idle);
    const Recorder::Span whole = recorder_.begin(EventKind::switch_experts, StreamId::copy);
    int64_t bytes = 0;
    if (active_ >= 0) {
      bytes += move(experts_[static_cast<size_t>(active_)], EventKind::d2h, active_);
    }
    active_ = expert;
    bytes += move(experts_[static_cast<size_t>(active_)], EventKind::h2d, active_);
    recorder_.end(whole, bytes, active_ + 1);
    const Event there = device_.record(StreamId::copy);
    recorder_.wait(there, StallCause::weights);
    device_.synchronize(there);
  }

  const std::byte* acquire(int, int block) override { return memory_.data() + experts_.front().block.bytes * block; }
  void release(int, int) override {}
  const std::byte* rest(int) override {
    return memory_.data() + experts_.front().block.bytes * static_cast<int64_t>(experts_.front().blocks.size());
  }

 private:
  int64_t move(ExpertWeights& expert, EventKind direction, int index) {
    const Recorder::Span span = recorder_.begin(direction, StreamId::copy);
    std::byte* on_device = memory_.data();
    for (std::byte* block : expert.blocks) {
      copy(direction, on_device, block, expert.block.bytes);
      on_device += expert.block.bytes;
    }
    copy(direction, on_device, expert.rest, expert.other.bytes);
    recorder_.end(span, expert.bytes(), index + 1);
    return expert.bytes();
  }

  void copy(EventKind direction, std::byte* on_device, std::byte* on_host, int64_t bytes) {
    if (direction == EventKind::h2d) {
      device_.copy_in(StreamId::copy, on_device, on_host, bytes);
    } else {
      device_.copy_out(StreamId::copy, on_host, on_device, bytes);
    }
  }

  Device& device_;
  Recorder& recorder_;
  std::vector<ExpertWeights>& experts_;
  Buffer memory_;
  int active_ = -1;
};

}  // namespace

std::unique_ptr<Offload> make_swap(const OffloadRequest& request) { return std::make_unique<Swap>(request); }

}  // namespace wansweep
