#include "worker/loop/unipc.h"

#include <cmath>
#include <string>

#include "tests/worker/device/ops_fixture.h"
#include "worker/weights/safetensors.h"

namespace wansweep {
namespace {

Floats tensor(const SafetensorsFile& file, const std::string& name) {
  Floats values(static_cast<size_t>(file.find(name).values()));
  convert_to_f32(file.find(name), values.data());
  return values;
}

double relative_error(const float* got, const float* want, size_t n) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < n; ++i) {
    difference += std::pow(double{got[i]} - want[i], 2);
    norm += std::pow(want[i], 2);
  }
  return std::sqrt(difference / norm);
}

class UniPC : public OpsTest, public testing::WithParamInterface<const char*> {};

// Tests the scheduler alone: diffusers' predictions go in, diffusers' latents must come out.
TEST_P(UniPC, ReplaysTheReferenceLatentsFromTheReferencePredictions) {
  const SafetensorsFile file(std::string(WANSWEEP_SOURCE_DIR "/tests/reference/") + GetParam() + ".safetensors");
  const auto count = static_cast<int>(file.find("timesteps").values());
  const auto steps =
      unipc_steps(make_flow_schedule(SigmaSchedule::diffusers, count, std::stod(file.metadata().at("flow_shift"))));
  const Floats predictions = tensor(file, "noise_pred");
  const Floats latents = tensor(file, "latents");
  Floats x = tensor(file, "initial_latents");
  const size_t n = x.size();
  Floats last(n), m0(n), m1(n), noise(n);
  ASSERT_EQ(steps.size(), static_cast<size_t>(count));
  for (size_t i = 0; i < steps.size(); ++i) {
    ops().unipc_step({DType::f32, steps[i], &predictions[i * n], nullptr, noise.data(), x.data(), last.data(),
                      m0.data(), m1.data(), static_cast<int64_t>(n)});
    finish();
    EXPECT_LT(relative_error(x.data(), &latents[i * n], n), 2e-6) << "step " << i + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Trajectories, UniPC,
                         testing::Values("trajectory-shift12", "trajectory-shift3", "trajectory-odd-length",
                                         "trajectory-one-step"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(UniPCSteps, TheFirstStepOnlyPredictsAndTheLastLandsOnItsPrediction) {
  const auto steps = unipc_steps(make_flow_schedule(SigmaSchedule::diffusers, 27, 12));
  EXPECT_FALSE(steps.front().correct);
  EXPECT_EQ(steps.front().p_m0, 0);
  EXPECT_TRUE(steps.back().correct);
  EXPECT_EQ(steps.back().p_x, 0);
  EXPECT_EQ(steps.back().p_mt, 1);
  EXPECT_EQ(steps.back().p_m0, 0);
}

// A constant x0 is a fixed point of every order: the last step returns x0, whatever the schedule is.
TEST(UniPCSteps, AConstantPredictionOfX0IsReached) {
  for (const SigmaSchedule schedule : {SigmaSchedule::diffusers, SigmaSchedule::sglang, SigmaSchedule::wan}) {
    const double x0 = 0.75;
    double x = -1.5, last = 0, m0 = 0, m1 = 0;
    for (const UniPCStep& s : unipc_steps(make_flow_schedule(schedule, 9, 5))) {
      const double corrected = s.correct ? s.c_last * last + s.c_m0 * m0 + s.c_m1 * m1 + s.c_mt * x0 : x;
      x = s.p_x * corrected + s.p_mt * x0 + s.p_m0 * m0;
      last = corrected, m1 = m0, m0 = x0;
    }
    EXPECT_NEAR(x, x0, 1e-6) << name_of(schedule);
  }
}

TEST(UniPCSteps, CoefficientsAreFiniteInEverySchedule) {
  for (const SigmaSchedule schedule : {SigmaSchedule::diffusers, SigmaSchedule::sglang, SigmaSchedule::wan}) {
    for (const int count : {1, 2, 3, 27, 40}) {
      for (const UniPCStep& s : unipc_steps(make_flow_schedule(schedule, count, 12))) {
        for (const float c : {s.c_last, s.c_m0, s.c_m1, s.c_mt, s.p_x, s.p_mt, s.p_m0}) {
          EXPECT_TRUE(std::isfinite(c)) << name_of(schedule) << ", " << count << " steps";
        }
      }
    }
  }
}

}  // namespace
}  // namespace wansweep
