#include "worker/weights/host_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

constexpr WeightBytes a14b_like{702'870'528, 502'000'128, 40, 2};

TEST(PartsOfStore, EveryPieceIsBroughtByOneRankAndOverlapsNoOther) {
  for (const WeightBytes& bytes : {a14b_like, WeightBytes{4096, 1024, 6, 1}, WeightBytes{256, 512, 1, 2}}) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      std::set<std::pair<int, int>> pieces;
      std::vector<int64_t> end(static_cast<size_t>(ranks), 0);
      for (const StorePart& part : parts_of_store(bytes, ranks)) {
        EXPECT_TRUE(pieces.insert({part.expert, part.block}).second);
        EXPECT_EQ(part.bytes, part.block == outside_blocks ? bytes.other : bytes.block);
        EXPECT_EQ(part.offset, end.at(static_cast<size_t>(part.node_rank))) << "one behind the other";
        end[static_cast<size_t>(part.node_rank)] += part.bytes;
      }
      EXPECT_EQ(pieces.size(), static_cast<size_t>(bytes.experts) * static_cast<size_t>(bytes.layers + 1));
    }
  }
}

TEST(PartsOfStore, NoRankBringsMoreThanAPieceAboveItsShare) {
  for (int ranks = 1; ranks <= 8; ++ranks) {
    std::vector<int64_t> of_rank(static_cast<size_t>(ranks), 0);
    for (const StorePart& part : parts_of_store(a14b_like, ranks)) {
      of_rank[static_cast<size_t>(part.node_rank)] += part.bytes;
    }
    const int64_t share = a14b_like.experts * a14b_like.expert() / ranks;
    for (const int64_t bytes : of_rank) EXPECT_LE(bytes, share + a14b_like.block) << ranks;
  }
}

constexpr WeightBytes small{4096, 1024, 3, 2};

class StampedByPiece : public WeightSource {
 public:
  static int stamp(int expert, int block) { return 2 + expert * 100 + block; }
  void read(int expert, int block, std::byte* to) const override {
    std::memset(to, stamp(expert, block), static_cast<size_t>(block == outside_blocks ? small.other : small.block));
  }
};

TEST(HostStore, APrivateStoreHoldsEveryPieceWhole) {
  const auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  const HostStore store(*device, small, HostMemory::pinned, StampedByPiece());
  for (int expert = 0; expert < small.experts; ++expert) {
    for (int block = outside_blocks; block < small.layers; ++block) {
      const std::span<const std::byte> piece = store.piece(expert, block);
      ASSERT_EQ(piece.size(), static_cast<size_t>(block == outside_blocks ? small.other : small.block));
      for (const std::byte value : piece) ASSERT_EQ(std::to_integer<int>(value), StampedByPiece::stamp(expert, block));
    }
  }
  EXPECT_EQ(store.report().own_bytes, small.experts * small.expert());
  EXPECT_EQ(device->memory_use().host_used, small.experts * small.expert());
}

TEST(RegisterHost, CountsTheRanksOwnBytesAndKeepsThePages) {
  const auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  const std::shared_ptr<void> pages(new char[4096], [](void* at) { delete[] static_cast<char*>(at); });
  const std::weak_ptr<void> watched = pages;
  Buffer registered = device->register_host(Buffer(pages.get(), 4096, pages), HostMemory::pinned, 1000);
  EXPECT_EQ(registered.data(), pages.get());
  EXPECT_EQ(registered.bytes(), 4096);
  EXPECT_EQ(device->memory_use().host_used, 1000);
  EXPECT_EQ(watched.use_count(), 2);
  registered = Buffer();
  EXPECT_EQ(device->memory_use().host_used, 0);
  EXPECT_EQ(watched.use_count(), 1);
}

}  // namespace
}  // namespace wansweep
