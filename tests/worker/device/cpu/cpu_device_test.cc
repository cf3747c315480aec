#include "worker/device/cpu/cpu_device.h"
#include "base/clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/expect_error.h"
#include "tests/support/nap.h"

namespace wansweep {
namespace {

constexpr int64_t arena_bytes = 1 << 20;

TEST(CpuDevice, AStreamWorksInOrder) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) device->enqueue(StreamId::comm, [&order, i] { order.push_back(i); });
  device->synchronize();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(CpuDevice, AStreamWaitsForAnothersEventAndTheCallerDoesNot) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  int value = 0;
  const int64_t start = monotonic_ns();
  device->enqueue(StreamId::copy, [&] {
    nap(50);
    value = 1;
  });
  const Event copied = device->record(StreamId::copy);
  device->wait(StreamId::compute, copied);
  int seen = -1;
  device->enqueue(StreamId::compute, [&] { seen = value; });
  const Event used = device->record(StreamId::compute);
  EXPECT_FALSE(device->done(used));
  device->synchronize(used);
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(device->done(copied));
  EXPECT_GE(device->time_ns(copied), start + 50'000'000);
  EXPECT_GE(device->time_ns(used), device->time_ns(copied));
}

// As on a link whose thread gets its core late: what directly precedes and follows the work has the link's time.
TEST(CpuDevice, TimedWorkBeginsWithTheEventBeforeItAndEndsWhenItSays) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  device->enqueue(StreamId::copy, [] { nap(20); });  // keeps the stream busy until all is queued
  const Event before = device->record(StreamId::copy);
  int64_t first_begin = 0, second_begin = 0;
  device->enqueue_timed(StreamId::copy, [&](int64_t begin) {
    first_begin = begin;
    nap(30);
    return begin + 10'000'000;
  });
  const Event between = device->record(StreamId::copy);
  device->enqueue_timed(StreamId::copy, [&](int64_t begin) { return second_begin = begin; });
  const Event after = device->record(StreamId::copy);
  device->enqueue(StreamId::copy, [] {});
  const Event later = device->record(StreamId::copy);
  device->synchronize();
  EXPECT_EQ(first_begin, device->time_ns(before));
  EXPECT_EQ(device->time_ns(between), first_begin + 10'000'000);
  EXPECT_EQ(second_begin, device->time_ns(between));
  EXPECT_EQ(device->time_ns(after), second_begin);
  EXPECT_GE(device->time_ns(later), first_begin + 30'000'000) << "other work takes the thread's time";
}

TEST(CpuDevice, WhatIsQueuedLaterBeginsNoEarlier) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  device->enqueue_timed(StreamId::copy, [](int64_t begin) { return begin; });
  device->synchronize();
  const int64_t now = monotonic_ns();
  const Event event = device->record(StreamId::copy);
  int64_t begun = 0;
  device->synchronize();
  nap(1);
  const int64_t then = monotonic_ns();
  device->enqueue_timed(StreamId::copy, [&](int64_t begin) { return begun = begin; });
  device->synchronize();
  EXPECT_GE(device->time_ns(event), now);
  EXPECT_GE(begun, then);
}

TEST(CpuDevice, StreamsRunAtTheSameTime) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  std::barrier meeting(3);  // each stream's work ends only when all three streams have reached it
  std::atomic<int> met{0};
  for (const StreamId stream : {StreamId::compute, StreamId::copy, StreamId::comm}) {
    device->enqueue(stream, [&] {
      meeting.arrive_and_wait();
      ++met;
    });
  }
  device->synchronize();
  EXPECT_EQ(met, 3);
}

TEST(CpuDevice, ADefaultEventIsAlwaysDone) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  device->wait(StreamId::compute, Event());
  device->synchronize(Event());
  EXPECT_TRUE(device->done(Event()));
  EXPECT_EQ(device->time_ns(Event()), 0);
}

TEST(CpuDevice, AnEventHasNoTimeBeforeItIsDone) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  device->enqueue(StreamId::compute, [] { nap(50); });
  const Event event = device->record(StreamId::compute);
  expect_error(ExitCode::internal, "before the event is complete", [&] { device->time_ns(event); });
}

TEST(CpuDevice, WhatAStreamThrowsIsThrownBySynchronizeAndLaterWorkIsSkipped) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  bool later = false;
  bool elsewhere = false;
  device->enqueue(StreamId::copy, [] { throw Error(ExitCode::communicator, "a peer is gone"); });
  device->enqueue(StreamId::copy, [] { throw std::runtime_error("second"); });
  device->enqueue(StreamId::copy, [&] { later = true; });
  const Event event = device->record(StreamId::copy);
  device->wait(StreamId::compute, event);
  device->enqueue(StreamId::compute, [&] { elsewhere = true; });
  expect_error(ExitCode::communicator, "a peer is gone", [&] { device->synchronize(); });
  EXPECT_TRUE(device->done(event));
  EXPECT_FALSE(later);
  EXPECT_TRUE(elsewhere);
  expect_error(ExitCode::communicator, "a peer is gone", [&] { device->synchronize(event); });
}

TEST(CpuDevice, DestroyingItFinishesQueuedWork) {
  int done = 0;
  {
    const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
    device->enqueue(StreamId::copy, [] { nap(20); });
    device->wait(StreamId::compute, device->record(StreamId::copy));
    device->enqueue(StreamId::compute, [&] { ++done; });
  }
  EXPECT_EQ(done, 1);
}

TEST(CpuDevice, CopiesMoveTheBytesWithAndWithoutALink) {
  for (const bool with_link : {false, true}) {
    const auto device =
        open_cpu_device({.memory_bytes = 4 * arena_bytes,
                         .link = with_link ? std::make_shared<Link>(1e9, 1e9) : std::shared_ptr<Link>()});
    EXPECT_EQ(device->link() != nullptr, with_link);
    const int64_t bytes = arena_bytes + 3;
    const Buffer host = device->allocate_host(bytes, HostMemory::pinned, "host");
    const Buffer back = device->allocate_host(bytes, HostMemory::pageable, "back");
    const Buffer a = device->allocate(bytes, "a");
    const Buffer b = device->allocate(bytes, "b");
    for (int64_t i = 0; i < bytes; ++i) host.data()[i] = static_cast<std::byte>(i * 7);
    device->copy_in(StreamId::copy, a.data(), host.data(), bytes);
    device->copy_device(StreamId::copy, b.data(), a.data(), bytes);
    device->copy_out(StreamId::copy, back.data(), b.data(), bytes);
    device->copy_in(StreamId::copy, nullptr, nullptr, 0);
    device->synchronize();
    EXPECT_EQ(std::memcmp(host.data(), back.data(), static_cast<size_t>(bytes)), 0);
  }
}

TEST(CpuDevice, CopiesOverlapComputeAndTakeTheLinksTime) {
  const auto device = open_cpu_device({.memory_bytes = 64 * arena_bytes, .link = std::make_shared<Link>(200e6, 200e6)});
  const int64_t bytes = 20'000'000;
  const Buffer host = device->allocate_host(bytes, HostMemory::pinned, "host");
  const Buffer on_device = device->allocate(bytes, "device");
  const Event start = device->record(StreamId::copy);
  device->copy_in(StreamId::copy, on_device.data(), host.data(), bytes);
  const Event copied = device->record(StreamId::copy);
  device->enqueue(StreamId::compute, [] {});
  const Event computed = device->record(StreamId::compute);
  device->synchronize(computed);
  EXPECT_FALSE(device->done(copied));
  device->synchronize();
  EXPECT_GE(device->time_ns(copied) - device->time_ns(start), 99'000'000);
}

TEST(CpuDevice, MemoryIsCountedAndGivenBackWithItsBuffer) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  {
    const Buffer a = device->allocate(1000, "a");
    const Buffer same = a;  // NOLINT(performance-unnecessary-copy-initialization): the copy is the point
    const Buffer host = device->allocate_host(10, HostMemory::pinned, "host");
    EXPECT_EQ(device->memory_use().device_used, 1024);
    EXPECT_EQ(device->memory_use().host_used, 10);
  }
  const MemoryUse use = device->memory_use();
  EXPECT_EQ(use.device_used, 0);
  EXPECT_EQ(use.device_peak, 1024);
  EXPECT_EQ(use.device_limit, arena_bytes);
  EXPECT_EQ(use.host_used, 0);
  EXPECT_EQ(use.host_peak, 10);
}

TEST(CpuDevice, ABufferMayOutliveIt) {
  auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = nullptr});
  const Buffer a = device->allocate(1000, "a");
  const Buffer b = device->allocate_host(1000, HostMemory::pageable, "b");
  device.reset();
  std::memset(a.data(), 1, 1000);
  std::memset(b.data(), 1, 1000);
  EXPECT_EQ(std::memcmp(a.data(), b.data(), 1000), 0);
}

TEST(CpuDevice, DescribesItself) {
  const auto device = open_cpu_device({.memory_bytes = arena_bytes, .link = std::make_shared<Link>(1e9, 2e9)});
  const auto description = nlohmann::json::parse(device->describe_json());
  EXPECT_EQ(description["backend"], "cpu");
  EXPECT_EQ(description["memory_bytes"], arena_bytes);
  EXPECT_EQ(description["link"]["out_bytes_per_s"], 2e9);
}

}  // namespace
}  // namespace wansweep
