// What opening a GPU reports when it fails, in the cases that can be tested without a GPU.

#include <gtest/gtest.h>

#include <array>

#include "tests/support/expect_error.h"
#include "worker/device/cuda/cuda_device.h"

namespace wansweep {
namespace {

TEST(CheckDevicesDiffer, TwoRanksOnOneGpuAreNamed) {
  const std::array<std::string, 3> identities{"node1 GPU-a", "node2 GPU-a", "node1 GPU-a"};
  expect_error(ExitCode::device_unavailable,
               "ranks 0 and 2 have the same GPU, node1 GPU-a; start one rank for each GPU",
               [&] { check_devices_differ(identities, false); });
}

TEST(CheckDevicesDiffer, TheSameGpuIsFineWhenAskedFor) {
  const std::array<std::string, 2> identities{"node1 GPU-a", "node1 GPU-a"};
  EXPECT_NO_THROW(check_devices_differ(identities, true));
}

TEST(CheckDevicesDiffer, TheSameNumberOnTwoNodesIsNotTheSameGpu) {
  const std::array<std::string, 2> identities{"node1 GPU-a", "node2 GPU-a"};
  EXPECT_NO_THROW(check_devices_differ(identities, false));
}

}  // namespace
}  // namespace wansweep
