#include <fmt/format.h>

#include "worker/offload/offload.h"

namespace wansweep {

namespace {

class Resident : public Offload {
 public:
  explicit Resident(const OffloadRequest& request) {
    for (size_t expert = 0; expert < request.experts.size(); ++expert) {
      ExpertWeights& host = request.experts[expert];
      Held held;
      held.block_bytes = host.block.bytes;
      held.memory = request.device.allocate(host.bytes(), fmt::format("resident expert {}", expert + 1));
      held.rest = held.memory.data() + host.block.bytes * static_cast<int64_t>(host.blocks.size());
      const Recorder::Span span = request.recorder.begin(EventKind::h2d, StreamId::copy);
      for (size_t block = 0; block < host.blocks.size(); ++block) {
        std::byte* to = held.memory.data() + host.block.bytes * static_cast<int64_t>(block);
        request.device.copy_in(StreamId::copy, to, host.blocks[block], host.block.bytes);
      }
      request.device.copy_in(StreamId::copy, held.rest, host.rest, host.other.bytes);
      request.recorder.end(span, host.bytes(), static_cast<int>(expert) + 1);
      request.device.synchronize();
      host.storage = Buffer();
      host.blocks.clear();
      host.rest = nullptr;
      held_.push_back(std::move(held));
    }
  }

  void begin_step(int) override {}
  const std::byte* acquire(int expert, int block) override {
    const Held& held = held_[static_cast<size_t>(expert)];
    return held.memory.data() + held.block_bytes * block;
  }
  void release(int, int) override {}
  const std::byte* rest(int expert) override { return held_[static_cast<size_t>(expert)].rest; }

 private:
  struct Held {
    Buffer memory;
    std::byte* rest = nullptr;
    int64_t block_bytes = 0;
  };
  std::vector<Held> held_;
};

}  // namespace

std::unique_ptr<Offload> make_resident(const OffloadRequest& request) { return std::make_unique<Resident>(request); }

}  // namespace wansweep
