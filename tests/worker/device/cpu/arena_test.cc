#include "worker/device/cpu/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

constexpr int64_t mib = 1 << 20;

TEST(Arena, AddressesAreAlignedAndDistinct) {
  Arena arena(mib);
  void* one = arena.allocate(1, "one");
  void* none = arena.allocate(0, "none");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(one) % 256, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(none) % 256, 0U);
  EXPECT_NE(one, none);
  EXPECT_EQ(arena.used(), 512);
}

TEST(Arena, MoreThanIsLeftIsRefusedWithTheNumbers) {
  Arena arena(4 * mib);
  arena.allocate(7 * mib / 2, "model");
  expect_error(ExitCode::device_memory,
               "device memory: 1.25 MiB for block slots cannot be allocated; 0.5 MiB of 4 MiB are free",
               [&] { arena.allocate(5 * mib / 4, "block slots"); });
}

TEST(Arena, AnAllocationOfTheWholeLimitFits) {
  Arena arena(2 * mib);
  void* all = arena.allocate(2 * mib, "all");
  std::memset(all, 1, 2 * mib);
  expect_error(ExitCode::device_memory, "0 MiB for one cannot be allocated; 0 MiB of 2 MiB",
               [&] { arena.allocate(1, "one"); });
  arena.release(all);
  EXPECT_NE(arena.allocate(2 * mib, "again"), nullptr);
}

TEST(Arena, AHugeRequestIsRefusedWithoutOverflow) {
  Arena arena(mib);
  expect_error(ExitCode::device_memory, "huge", [&] { arena.allocate(INT64_MAX, "huge"); });
  expect_error(ExitCode::internal, "-1 bytes", [&] { arena.allocate(-1, "negative"); });
}

TEST(Arena, FragmentationIsNamedWhenItIsTheCause) {
  Arena arena(3 * mib);
  void* first = arena.allocate(mib, "a");
  arena.allocate(mib, "b");
  arena.release(first);
  expect_error(ExitCode::device_memory, "2 MiB of 3 MiB are free, in pieces of at most 1 MiB",
               [&] { arena.allocate(2 * mib, "c"); });
}

TEST(Arena, FreedNeighboursJoinInAnyOrder) {
  std::mt19937 random(1);
  Arena arena(mib);
  for (int round = 0; round < 50; ++round) {
    std::vector<void*> pieces;
    for (int i = 0; i < 64; ++i) pieces.push_back(arena.allocate(1 + static_cast<int64_t>(random() % 16384), "piece"));
    std::shuffle(pieces.begin(), pieces.end(), random);
    for (void* piece : pieces) arena.release(piece);
    EXPECT_EQ(arena.used(), 0);
    arena.release(arena.allocate(mib, "all of it"));
  }
}

TEST(Arena, PeakIsTheMostEverHandedOut) {
  Arena arena(mib);
  void* a = arena.allocate(1024, "a");
  void* b = arena.allocate(2048, "b");
  arena.release(a);
  arena.release(b);
  arena.allocate(256, "c");
  EXPECT_EQ(arena.peak(), 3072);
  EXPECT_EQ(arena.used(), 256);
}

TEST(Arena, AnAddressFreedTwiceIsADefect) {
  Arena arena(mib);
  void* a = arena.allocate(1024, "a");
  arena.release(a);
  expect_error(ExitCode::internal, "was not allocated", [&] { arena.release(a); });
}

TEST(Arena, AnEmptyLimitIsRefused) {
  expect_error(ExitCode::bad_input, "the limit is 0 bytes", [] { Arena arena(0); });
}

TEST(HostPool, CountsWhatIsHandedOut) {
  HostPool pool;
  void* a = pool.allocate(1000, true, "a");
  void* b = pool.allocate(500, false, "b");
  std::memset(a, 1, 1000);
  std::memset(b, 1, 500);
  pool.release(a, 1000);
  EXPECT_EQ(pool.used(), 500);
  EXPECT_EQ(pool.peak(), 1500);
  pool.release(b, 500);
}

TEST(HostPool, MemoryThatIsNotThereIsRefused) {
  HostPool pool;
  expect_error(ExitCode::host_memory, "MiB for expert cannot be allocated",
               [&] { pool.allocate(int64_t{1} << 60, true, "expert"); });
}

}  // namespace
}  // namespace wansweep
