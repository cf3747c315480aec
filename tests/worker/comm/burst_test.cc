// When the gate is closed and opened around exchanges, alone and in a burst.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/nap.h"
#include "worker/comm/communicator.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

// Closes and opens the gate as a communicator does, around no data.
class GatedCommunicator : public Communicator {
 public:
  explicit GatedCommunicator(CpuDevice& device) : Communicator(device, StreamId::comm), device_(device) {}
  void exchange(std::span<const Exchange>) override {
    closed_by_last = must_close_gate();
    if (closed_by_last) device_.close_gate(StreamId::comm);
    open_gate();
  }
  CommunicatorKind kind() const override { return CommunicatorKind::mpi; }
  bool closed_by_last = false;

 private:
  CpuDevice& device_;
};

class BurstTest : public testing::Test {
 protected:
  void SetUp() override { communicator_.set_closes_gate(true); }

  // Whether work behind the gate can go on, once the comm stream has done what is enqueued.
  bool is_open() {
    device_->synchronize(device_->record(StreamId::comm));
    device_->pass_gate(StreamId::copy);
    const Event passed = device_->record(StreamId::copy);
    nap(20);
    return device_->done(passed);
  }

  std::unique_ptr<CpuDevice> device_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  GatedCommunicator communicator_{*device_};
};

TEST_F(BurstTest, TheGateIsOpenBehindAnExchangeOutsideABurst) {
  communicator_.exchange({});
  EXPECT_TRUE(communicator_.closed_by_last);
  EXPECT_TRUE(is_open());
}

TEST_F(BurstTest, TheGateStaysClosedBetweenTheExchangesOfABurstAndIsOpenBehindIt) {
  {
    const Burst burst(communicator_);
    communicator_.exchange({});
    EXPECT_TRUE(communicator_.closed_by_last);
    EXPECT_FALSE(is_open());
    communicator_.exchange({});
    EXPECT_FALSE(communicator_.closed_by_last) << "it is closed already";
  }
  EXPECT_TRUE(is_open());
  communicator_.exchange({});
  EXPECT_TRUE(communicator_.closed_by_last) << "the next burst or exchange closes it anew";
}

TEST_F(BurstTest, ABurstThatAnExceptionEndsOpensTheGate) {
  const auto fails = [&] {
    const Burst burst(communicator_);
    communicator_.exchange({});
    throw std::runtime_error("no memory for attention");
  };
  EXPECT_THROW(fails(), std::runtime_error);
  EXPECT_TRUE(is_open());
}

TEST_F(BurstTest, ABurstWithoutExchangesLeavesTheGateOpen) {
  { const Burst burst(communicator_); }
  EXPECT_TRUE(is_open());
}

TEST_F(BurstTest, NothingClosesTheGateWhereCopiesDoNotYield) {
  communicator_.set_closes_gate(false);
  const Burst burst(communicator_);
  communicator_.exchange({});
  EXPECT_FALSE(communicator_.closed_by_last);
  EXPECT_TRUE(is_open());
}

}  // namespace
}  // namespace wansweep
