// The gate between streams, as copies and exchanges use it.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/expect_error.h"
#include "tests/support/nap.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

std::unique_ptr<CpuDevice> open_device() { return open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr}); }

TEST(Gate, IsOpenAtFirst) {
  const auto device = open_device();
  device->pass_gate(StreamId::copy);
  const Event passed = device->record(StreamId::copy);
  device->synchronize();
  EXPECT_TRUE(device->done(passed));
}

TEST(Gate, HoldsWhatIsBehindItUntilTheStreamThatClosedItOpensIt) {
  const auto device = open_device();
  std::atomic<bool> moved{false}, opened{false};
  device->close_gate(StreamId::comm);
  device->synchronize(device->record(StreamId::comm));
  device->pass_gate(StreamId::copy);
  device->enqueue(StreamId::copy, [&] { moved = opened.load(); });
  const Event copied = device->record(StreamId::copy);
  nap(50);
  EXPECT_FALSE(device->done(copied));
  device->enqueue(StreamId::comm, [&] { opened = true; });
  device->open_gate(StreamId::comm);
  device->synchronize();
  EXPECT_TRUE(moved) << "not before the gate was open";
}

TEST(Gate, HoldsNobodyWhoDoesNotAskForIt) {
  const auto device = open_device();
  device->close_gate(StreamId::comm);
  device->synchronize(device->record(StreamId::comm));
  bool moved = false;
  device->enqueue(StreamId::copy, [&] { moved = true; });
  device->synchronize(device->record(StreamId::copy));
  EXPECT_TRUE(moved) << "the gate is still closed";
  device->open_gate(StreamId::comm);
}

// Otherwise a failed exchange would block the copies, and whoever waits for them, for ever.
TEST(Gate, OpensAlsoBehindWorkThatFailed) {
  const auto device = open_device();
  device->close_gate(StreamId::comm);
  device->enqueue(StreamId::comm, [] { throw Error(ExitCode::communicator, "a peer is gone"); });
  device->open_gate(StreamId::comm);
  device->pass_gate(StreamId::copy);
  expect_error(ExitCode::communicator, "a peer is gone", [&] { device->synchronize(); });
}

}  // namespace
}  // namespace wansweep
