#include "orchestrator/cluster/retry.h"

#include "tests/orchestrator/cluster/stand_in_slurm.h"

namespace wansweep {
namespace {

class RetryOfAnAttempt : public StandInSlurm {
 protected:
  Attempt ended(AttemptEnd end, std::optional<int> exit_code) const {
    Attempt attempt = read_attempt(this->attempt(0)).value();
    AttemptState state;
    state.end = end;
    state.exit_code = exit_code;
    write_state(attempt, state);
    return attempt;
  }
};

TEST_F(RetryOfAnAttempt, AJobThatFailedBeforeItsWorkerIsRetriedOnlyWithACorrectedProfile) {
  write_text(attempt(0) + "/job.json", "{}\n");
  const Attempt attempt = ended(AttemptEnd::failed, 2);
  RetryGrants corrected;
  corrected.profile = ClusterProfile();
  EXPECT_FALSE(can_go_again(attempt, {}));
  EXPECT_TRUE(can_go_again(attempt, corrected));
  write_text(this->attempt(0) + "/stderr.log", "wansweep-worker: steps is 0\n");
  EXPECT_FALSE(can_go_again(attempt, corrected)) << "the worker itself refused its settings";
}

TEST_F(RetryOfAnAttempt, AnAttemptThatRanOutOfTimeIsRetriedOnlyWithMoreTime) {
  const Attempt attempt = ended(AttemptEnd::timeout, {});
  RetryGrants granted;
  EXPECT_FALSE(can_go_again(attempt, granted));
  granted.factors.time = 2;
  EXPECT_TRUE(can_go_again(attempt, granted));
}

}  // namespace
}  // namespace wansweep
