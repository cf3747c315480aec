#include "orchestrator/predict/predicted_time.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

// A run of Wan2.2 T2V A14B at 832x480, 81 frames, on four H100: 27 steps with two forwards each.
RunPlan study(OffloadMode offload, const std::string& model = "t2v-a14b") {
  RunSettings settings;
  settings.model_id = model;
  settings.weights = "random:1";
  settings.backend = BackendKind::cuda;
  settings.size = "832x480";
  settings.frames = 81;
  settings.steps = 27;
  settings.ranks = 4;
  settings.ulysses = 4;
  settings.offload = offload;
  return make_run_plan(settings);
}

TEST(PredictedTime, OneForwardsWorkIsThatOfOneExpertAndItsAttention) {
  const RunWork work = work_of(study(OffloadMode::resident));
  EXPECT_EQ(work.parameters, 40 * 351'394'304.0 + 232'719'424.0);
  EXPECT_EQ(work.tokens, 32760);
  EXPECT_EQ(work.forwards, 54);
  MachineRates rates;
  rates.flops_per_rank = 400e12;
  // 2 x 14.2885e9 x 32760 + 4 x 32760^2 x 5120 x 40 = 9.3618e14 + 8.7917e14 a forward; x 54 / (4 x 400e12) = 61.27 s.
  EXPECT_NEAR(predict_time(work, rates).compute, 61.27, 0.01);
}

TEST(PredictedTime, TwoExpertsComputeNoLongerThanOne) {
  const MachineRates rates;
  const PredictedTime two = predict_time(work_of(study(OffloadMode::resident)), rates);
  const PredictedTime one = predict_time(work_of(study(OffloadMode::resident, "wan2.1-t2v-14b")), rates);
  EXPECT_DOUBLE_EQ(two.compute, one.compute);
}

TEST(PredictedTime, EachModeMovesWhatItMoves) {
  const WeightBytes weights = study(OffloadMode::resident).weights;
  const auto expert = static_cast<double>(weights.expert()), block = static_cast<double>(weights.block);
  EXPECT_EQ(work_of(study(OffloadMode::resident)).bytes_over_link, 2 * expert);
  EXPECT_EQ(work_of(study(OffloadMode::swap)).bytes_over_link, 3 * expert);
  EXPECT_EQ(work_of(study(OffloadMode::snapshot)).bytes_over_link, 2 * expert);
  // Layerwise moves each forward's blocks; besides, the first block of each expert and, after the last use, the first
  // block of a next forward. It moves the weights outside blocks once for each expert.
  const double other = expert - 40 * block;
  EXPECT_EQ(work_of(study(OffloadMode::layerwise)).bytes_over_link, (54 * 40 + 2) * block + 2 * other);
  MachineRates rates;
  rates.link_bytes_per_second = ((54 * 40 + 2) * block + 2 * other) / 54;
  RunWork work = work_of(study(OffloadMode::layerwise));
  work.ranks_sharing_link = 1;
  EXPECT_DOUBLE_EQ(predict_time(work, rates).transfer, 54);
  work.ranks_sharing_link = 4;
  EXPECT_DOUBLE_EQ(predict_time(work, rates).transfer, 216);
}

}  // namespace
}  // namespace wansweep
