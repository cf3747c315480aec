#include "worker/comm/launcher.h"

#include <gtest/gtest.h>

#include <map>

namespace wansweep {
namespace {

std::optional<std::string> problem(int ranks, const std::map<std::string, std::string>& variables) {
  return ranks_out_of_sight(ranks, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launcher, ProcessesThatDoNotSeeEachOtherAreFoundByWhatStartedThem) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const std::optional<std::string> line = problem(1, {{name, "4"}});
    ASSERT_TRUE(line.has_value()) << name;
    EXPECT_NE(line->find(std::string(name) + " is 4, but MPI sees 1"), std::string::npos) << *line;
  }
}

TEST(Launcher, SeeingAsManyRanksAsWereStartedIsRight) {
  EXPECT_EQ(problem(1, {}), std::nullopt);
  EXPECT_EQ(problem(4, {{"OMPI_COMM_WORLD_SIZE", "4"}}), std::nullopt);
  EXPECT_EQ(problem(4, {{"PMI_SIZE", "4"}, {"SLURM_STEP_NUM_TASKS", "4"}}), std::nullopt);
}

TEST(Launcher, UnderMpirunInSlurmItsOwnDaemonsDoNotCount) {
  EXPECT_EQ(problem(1, {{"OMPI_COMM_WORLD_SIZE", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}}), std::nullopt);
}

TEST(Launcher, AnAllocationMayBeLargerThanTheRun) { EXPECT_EQ(problem(1, {{"SLURM_NTASKS", "8"}}), std::nullopt); }

}  // namespace
}  // namespace wansweep
