// One copy, made in each possible way: the right bytes arrive, the trace's rows say so, and the copy waits for what it
// must.
#include "worker/offload/copier.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "schema/trace_file.h"
#include "tests/support/nap.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

constexpr int64_t piece_bytes = 10'000;
constexpr Place place{1, -1, 7};

std::byte value_at(int64_t i) { return static_cast<std::byte>(i * 7 + i / 251); }

// Sends what the peers would send: `whole` is the piece as they have it.
class FakePeers : public Communicator {
 public:
  FakePeers(CpuDevice& device, const std::byte* whole, const std::byte* to)
      : Communicator(device, StreamId::peers), device_(device), whole_(whole), to_(to) {}
  void exchange(std::span<const Exchange> exchanges) override {
    for (const Exchange& each : exchanges) {
      sent += each.send_bytes;
      device_.enqueue(StreamId::peers, [this, each] {
        const std::byte* from = whole_ + (static_cast<const std::byte*>(each.receive) - to_);
        std::memcpy(each.receive, from, static_cast<size_t>(each.receive_bytes));
      });
    }
  }
  CommunicatorKind kind() const override { return CommunicatorKind::mpi; }
  int64_t sent = 0;

 private:
  CpuDevice& device_;
  const std::byte* whole_;
  const std::byte* to_;
};

class CopierTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int64_t i = 0; i < piece_bytes; ++i) host_.data()[i] = value_at(i);
    std::memset(slot_.data(), 0, piece_bytes);
    recorder_.begin_step(1, 1, 500, 0.5F);
  }

  Copy copy(bool awaited = false) const { return {slot_.data(), host_.data(), piece_bytes, place, awaited}; }

  int64_t wrong_bytes() const {
    int64_t wrong = 0;
    for (int64_t i = 0; i < piece_bytes; ++i) wrong += slot_.data()[i] != value_at(i);
    return wrong;
  }

  // Ends the step, and returns its rows of copies and parts.
  std::vector<EventRow> rows() {
    device_->synchronize();
    recorder_.end_step();
    recorder_.finish({});
    std::vector<EventRow> copies;
    for (const EventRow& row : read_trace(trace_).rows.events) {
      if (row.kind == EventKind::h2d || row.kind == EventKind::weight_parts) copies.push_back(row);
    }
    return copies;
  }

  std::string trace_ = [] {
    std::string file =
        testing::TempDir() + "copier-" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
    std::filesystem::remove(file);
    return file;
  }();
  std::unique_ptr<CpuDevice> device_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  Buffer host_ = device_->allocate_host(piece_bytes, HostMemory::pinned, "host");
  Buffer slot_ = device_->allocate(piece_bytes, "slot");
  TraceWriter writer_{trace_, "{}", "{}"};
  Recorder recorder_{*device_, &writer_, TraceDetail::block};
};

TEST(PartOf, CoversAPieceOnceInPartsThatBeginAtAlignedPlaces) {
  for (const int64_t bytes :
       {int64_t{1}, int64_t{256}, int64_t{257}, int64_t{4096}, piece_bytes, int64_t{702'870'528}}) {
    for (int sharers = 1; sharers <= 9; ++sharers) {
      int64_t next = 0, largest = 0;
      for (int i = 0; i < sharers; ++i) {
        const PieceRange part = part_of(bytes, sharers, i);
        EXPECT_EQ(part.offset, next);
        EXPECT_TRUE(part.bytes == 0 || part.offset % 256 == 0);
        next = part.offset + part.bytes;
        largest = std::max(largest, part.bytes);
      }
      EXPECT_EQ(next, bytes) << sharers;
      EXPECT_LE(largest, bytes / sharers + 256) << "nobody brings more than its share";
    }
  }
}

TEST_F(CopierTest, AnUncutPieceHasOneRow) {
  Copier(*device_, recorder_, {}).bring(copy());
  const std::vector<EventRow> copies = rows();
  EXPECT_EQ(wrong_bytes(), 0);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].bytes, piece_bytes);
  EXPECT_EQ(copies[0].expert, 2);
  EXPECT_EQ(copies[0].block, 7);
}

TEST_F(CopierTest, EachChunkIsARowAndTheyAddUpToThePiece) {
  Copier(*device_, recorder_, {.chunk_bytes = 4096}).bring(copy());
  const std::vector<EventRow> copies = rows();
  EXPECT_EQ(wrong_bytes(), 0);
  ASSERT_EQ(copies.size(), 3u);
  EXPECT_EQ(copies[0].bytes, 4096);
  EXPECT_EQ(copies[1].bytes, 4096);
  EXPECT_EQ(copies[2].bytes, piece_bytes - 2 * 4096);
  for (const EventRow& row : copies) EXPECT_EQ(row.block, 7);
}

TEST_F(CopierTest, AChunkWaitsWhileAnExchangeMovesDataAndTheWaitIsInNoRow) {
  Copier copier(*device_, recorder_, {.chunk_bytes = 4096, .yields = true});
  device_->close_gate(StreamId::comm);
  device_->synchronize(device_->record(StreamId::comm));
  const Event there = copier.bring(copy());
  nap(60);
  EXPECT_FALSE(device_->done(there));
  device_->open_gate(StreamId::comm);
  device_->synchronize(there);
  EXPECT_EQ(wrong_bytes(), 0);
  for (const EventRow& row : rows()) EXPECT_LT(row.end_ns - row.start_ns, 50'000'000);
}

// Otherwise compute would wait for a copy that waits for compute's own peers.
TEST_F(CopierTest, ACopyThatIsAwaitedPassesAClosedGate) {
  Copier copier(*device_, recorder_, {.chunk_bytes = 4096, .yields = true});
  device_->close_gate(StreamId::comm);
  device_->synchronize(device_->record(StreamId::comm));
  device_->synchronize(copier.bring(copy(true)));
  EXPECT_EQ(wrong_bytes(), 0);
  device_->open_gate(StreamId::comm);
}

TEST_F(CopierTest, RanksThatShareBringTheirPartsAndGetTheOthers) {
  FakePeers peers(*device_, host_.data(), slot_.data());
  Copier copier(*device_, recorder_, {.chunk_bytes = 1024, .peers = &peers, .sharers = 4, .own = 2});
  const Event there = copier.bring(copy());
  device_->synchronize(there);
  EXPECT_EQ(wrong_bytes(), 0);
  const PieceRange own = part_of(piece_bytes, 4, 2);
  EXPECT_EQ(peers.sent, 3 * own.bytes);
  int64_t over_link = 0, from_peers = 0;
  for (const EventRow& row : rows()) {
    (row.kind == EventKind::h2d ? over_link : from_peers) += row.bytes;
    EXPECT_EQ(row.stream, row.kind == EventKind::h2d ? StreamId::copy : StreamId::peers);
  }
  EXPECT_EQ(over_link, own.bytes);
  EXPECT_EQ(over_link + from_peers, piece_bytes) << "together what the schedule says";
}

TEST_F(CopierTest, WhatIsBroughtAloneNeedsNoPeer) {
  FakePeers peers(*device_, host_.data(), slot_.data());
  Copier copier(*device_, recorder_, {.peers = &peers, .sharers = 4, .own = 2});
  device_->synchronize(copier.bring_alone(copy()));
  EXPECT_EQ(wrong_bytes(), 0);
  EXPECT_EQ(peers.sent, 0);
  EXPECT_EQ(rows().size(), 1u);
}

TEST_F(CopierTest, InASpanOnlyWhatPeersSendHasRows) {
  FakePeers peers(*device_, host_.data(), slot_.data());
  Copier copier(*device_, recorder_, {.chunk_bytes = 1024, .peers = &peers, .sharers = 2, .own = 0});
  EXPECT_EQ(copier.bring_in_span(copy()), part_of(piece_bytes, 2, 0).bytes);
  device_->synchronize(copier.arrived());
  EXPECT_EQ(wrong_bytes(), 0);
  const std::vector<EventRow> copies = rows();
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].kind, EventKind::weight_parts);
}

}  // namespace
}  // namespace wansweep
