// A shared store is made in three stages. First its memory: each rank populates its own part, on all its cores, and
// maps the parts of its peers. Then two things at once: a second thread fills the rank's part, on all cores, while the
// main thread, the only one that may call the device, registers all parts, which is work of the kernel on one core. So
// a failure to register is known before the weights are read. Last, all ranks wait for each other: then every part is
// filled.

#include "worker/weights/host_store.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"

namespace wansweep {

namespace {

class Stopwatch {
 public:
  double seconds() const { return static_cast<double>(monotonic_ns() - since_) / 1e9; }

 private:
  int64_t since_ = monotonic_ns();
};

// Fills the parts of this rank, which lie in `segment`. Does not touch the device.
double fill_own_parts(const std::vector<StorePart>& parts, int node_rank, std::byte* segment,
                      const WeightSource& source, const std::atomic<bool>& given_up) {
  const Stopwatch watch;
  for (const StorePart& part : parts) {
    if (part.node_rank != node_rank) continue;
    if (given_up) break;
    source.read(part.expert, part.block, segment + part.offset);
  }
  return watch.seconds();
}

}  // namespace

std::vector<StorePart> parts_of_store(const WeightBytes& bytes, int node_ranks) {
  std::vector<StorePart> parts;
  std::vector<int64_t> filled(static_cast<size_t>(node_ranks), 0);
  const auto add = [&](int expert, int block, int64_t size) {
    const auto rank = static_cast<int>(std::ranges::min_element(filled) - filled.begin());
    parts.push_back({expert, block, rank, filled[static_cast<size_t>(rank)], size});
    filled[static_cast<size_t>(rank)] += size;
  };
  for (int expert = 0; expert < bytes.experts; ++expert) {
    for (int block = 0; block < bytes.layers; ++block) add(expert, block, bytes.block);
  }
  // The small pieces come last, since they even out the ranks' shares.
  for (int expert = 0; expert < bytes.experts; ++expert) add(expert, outside_blocks, bytes.other);
  return parts;
}

HostStore::HostStore(Device& device, const WeightBytes& bytes, HostMemory kind, const WeightSource& source)
    : layers_(bytes.layers) {
  const Stopwatch whole;
  for (int expert = 0; expert < bytes.experts; ++expert) {
    const Stopwatch present;
    std::byte* at =
        memory_
            .emplace_back(device.allocate_host(bytes.expert(), kind, fmt::format("host copy of expert {}", expert + 1)))
            .data();
    report_.present_s += present.seconds();
    const Stopwatch filled;
    for (int piece = 0; piece <= bytes.layers; ++piece) {
      const bool is_block = piece < bytes.layers;
      const int64_t size = is_block ? bytes.block : bytes.other;
      source.read(expert, is_block ? piece : outside_blocks, at);
      pieces_.emplace_back(at, static_cast<size_t>(size));
      at += size;
    }
    report_.filled_s += filled.seconds();
  }
  report_.bytes = report_.own_bytes = bytes.experts * bytes.expert();
  report_.total_s = whole.seconds();
}

HostStore HostStore::load_shared(MpiWorld& world, Device& device, const WeightBytes& bytes, HostMemory kind,
                                 const WeightSource& source) {
  const Stopwatch whole;
  const std::vector<StorePart> parts = parts_of_store(bytes, world.node_ranks());
  const auto own = static_cast<size_t>(world.node_rank());
  HostStore store;
  HostStoreReport& report = store.report_;
  report.kind = HostStoreKind::per_node;
  report.bytes = bytes.experts * bytes.expert();
  for (const StorePart& part : parts) report.own_bytes += part.node_rank == world.node_rank() ? part.bytes : 0;

  NodeSegments segments;
  world.all_or_none([&] { segments = world.shared_segments(report.own_bytes); });
  report.present_s = whole.seconds();
  report.page_size = segments.page_size;

  world.all_or_none([&] {
    std::atomic<bool> given_up{false};
    std::future<double> filling;
    if (report.own_bytes > 0) {
      auto* segment = static_cast<std::byte*>(segments.of_rank[own].pages.get());
      filling = std::async(std::launch::async, [&, segment] {
        return fill_own_parts(parts, world.node_rank(), segment, source, given_up);
      });
    }
    try {
      const Stopwatch registering;
      for (size_t rank = 0; rank < segments.of_rank.size(); ++rank) {
        NodeSegment& segment = segments.of_rank[rank];
        void* pages = segment.pages.get();
        Buffer mapped(pages, segment.bytes, std::move(segment.pages));
        if (mapped) mapped = device.register_host(std::move(mapped), kind, rank == own ? report.own_bytes : 0);
        store.memory_.push_back(std::move(mapped));
      }
      report.registered_s = registering.seconds();
    } catch (...) {
      given_up = true;
      throw;  // the future's destructor waits
    }
    if (filling.valid()) report.filled_s = filling.get();
  });

  store.layers_ = bytes.layers;
  store.pieces_.resize(static_cast<size_t>(bytes.experts) * static_cast<size_t>(bytes.layers + 1));
  for (const StorePart& part : parts) {
    const int index = part.expert * (bytes.layers + 1) + (part.block == outside_blocks ? bytes.layers : part.block);
    const std::byte* segment = store.memory_[static_cast<size_t>(part.node_rank)].data();
    store.pieces_[static_cast<size_t>(index)] = {segment + part.offset, static_cast<size_t>(part.bytes)};
  }
  report.total_s = whole.seconds();
  return store;
}

std::span<const std::byte> HostStore::piece(int expert, int block) const {
  const int index = expert * (layers_ + 1) + (block == outside_blocks ? layers_ : block);
  return pieces_.at(static_cast<size_t>(index));
}

}  // namespace wansweep
