#include "orchestrator/launch/machine_fit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

Plan plan_of(int ranks, int64_t host_bytes) {
  Plan plan;
  PlannedConfiguration& configuration = plan.configurations.emplace_back();
  configuration.name = "r-swap";
  configuration.run.emplace();
  configuration.run->settings.backend = BackendKind::cpu;
  configuration.run->parallel.ranks = ranks;
  configuration.run->memory.host_weights = host_bytes;
  configuration.run->memory.device_weights = host_bytes;
  return plan;
}

constexpr int64_t gib = int64_t{1} << 30;

TEST(MachineFit, AFewRanksForEachCoreAreNotReported) {
  EXPECT_FALSE(check_machine_fits(plan_of(6, gib), {1, 64 * gib}));
  EXPECT_FALSE(check_machine_fits(plan_of(32, 0), {2, 64 * gib}));
}

TEST(MachineFit, FarMoreRanksThanCoresAreReported) {
  const auto line = check_machine_fits(plan_of(1000, 0), {2, 64 * gib});
  ASSERT_TRUE(line);
  EXPECT_NE(line->find("ranks is up to 1000, but this machine has 2 cores"), std::string::npos) << *line;
}

TEST(MachineFit, RanksThatNeedMoreMemoryThanThereIsAreRefused) {
  expect_error(ExitCode::bad_input, "ranks is 4: r-swap needs 8.1 GiB of memory, but this machine has 8.0 GiB", [] {
    check_machine_fits(plan_of(4, gib), {2, 8 * gib});
  });
  EXPECT_FALSE(check_machine_fits(plan_of(4, gib), {2, 0})) << "not known";
}

TEST(MachineFit, WeightsOnAGpuAreNoHostMemory) {
  Plan plan = plan_of(4, gib);
  plan.configurations[0].run->settings.backend = BackendKind::cuda;
  EXPECT_FALSE(check_machine_fits(plan, {2, 8 * gib}));
}

TEST(MachineFit, WhatIsGrantedIsReadAsStrictlyAsTheWorkerReadsIt) {
  setenv("WANSWEEP_HOST_MEMORY", "16", 1);
  EXPECT_EQ(this_machine().memory, 16 * gib);
  for (const char* text : {"", "lots", "16GiB", "-3", "nan"}) {
    setenv("WANSWEEP_HOST_MEMORY", text, 1);
    expect_error(ExitCode::bad_input, std::string("WANSWEEP_HOST_MEMORY is \"") + text + "\"", [] { this_machine(); });
  }
  unsetenv("WANSWEEP_HOST_MEMORY");
  EXPECT_GT(this_machine().memory, 0);
}

}  // namespace
}  // namespace wansweep
