#include "slurm/job_state.h"

#include <gtest/gtest.h>

#include "base/exit_codes.h"
#include "slurm/retry_policy.h"

namespace wansweep {
namespace {

TEST(JobState, EverySlurmWordHasItsMeaning) {
  const struct {
    const char* word;
    JobState state;
  } cases[] = {{"PENDING", JobState::queued},         {"CONFIGURING", JobState::queued},
               {"REQUEUED", JobState::queued},        {"RUNNING", JobState::running},
               {"COMPLETING", JobState::running},     {"SUSPENDED", JobState::running},
               {"COMPLETED", JobState::completed},    {"FAILED", JobState::failed},
               {"CANCELLED", JobState::cancelled},    {"CANCELLED by 1234", JobState::cancelled},
               {"CANCELLED+", JobState::cancelled},   {"TIMEOUT", JobState::timeout},
               {"DEADLINE", JobState::timeout},       {"OUT_OF_MEMORY", JobState::out_of_memory},
               {"NODE_FAIL", JobState::node_failure}, {"BOOT_FAIL", JobState::boot_failure},
               {"PREEMPTED", JobState::preempted}};
  for (const auto& each : cases) EXPECT_EQ(job_state_from(each.word), each.state) << each.word;
}

TEST(JobState, AWordFromTheFutureIsNeitherAnEndNorSuccess) {
  EXPECT_EQ(job_state_from("TELEPORTED"), JobState::unknown);
  EXPECT_EQ(job_state_from(""), JobState::unknown);
  EXPECT_FALSE(is_terminal(JobState::unknown));
}

TEST(JobState, EveryStateHasANameThatIsReadBackAndAMeaning) {
  for (const JobState state : values_of<JobState>()) {
    EXPECT_EQ(job_state_named(name_of(state)), state);
    EXPECT_FALSE(meaning_of(state).empty());
  }
  EXPECT_EQ(values_of<JobState>().size(), 12u);
}

TEST(RetryPolicy, OutOfMemoryIsNotTriedAgainUnchanged) {
  EXPECT_FALSE(retry_policy(JobState::out_of_memory, {}, {}).retry);
  const RetryDecision more = retry_policy(JobState::out_of_memory, {}, {{}, 2.0});
  EXPECT_TRUE(more.retry);
  EXPECT_EQ(more.memory_factor, 2.0);
  EXPECT_EQ(more.time_factor, 1.0);
}

TEST(RetryPolicy, ATimeoutAndAnInterruptedWorkerGetMoreTime) {
  EXPECT_FALSE(retry_policy(JobState::timeout, {}, {}).retry);
  EXPECT_EQ(retry_policy(JobState::timeout, {}, {1.5, {}}).time_factor, 1.5);
  const int interrupted = static_cast<int>(ExitCode::interrupted);
  EXPECT_EQ(retry_policy(JobState::failed, interrupted, {1.5, {}}).time_factor, 1.5);
}

TEST(RetryPolicy, ABadNodeIsExcludedAndABadConfigurationIsNotRetried) {
  EXPECT_TRUE(retry_policy(JobState::node_failure, {}, {}).exclude_nodes);
  EXPECT_TRUE(retry_policy(JobState::failed, static_cast<int>(ExitCode::device_unavailable), {}).exclude_nodes);
  EXPECT_FALSE(retry_policy(JobState::failed, static_cast<int>(ExitCode::bad_input), {2.0, 2.0}).retry);
  EXPECT_FALSE(retry_policy(JobState::failed, static_cast<int>(ExitCode::device_memory), {2.0, 2.0}).retry);
  EXPECT_FALSE(retry_policy(JobState::cancelled, {}, {2.0, 2.0}).retry);
  EXPECT_TRUE(retry_policy(JobState::preempted, {}, {}).retry);
}

}  // namespace
}  // namespace wansweep
