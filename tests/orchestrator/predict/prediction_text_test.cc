#include "orchestrator/predict/prediction_text.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/predict/plain_machine.h"

namespace wansweep {
namespace {

TEST(PredictionText, ConfigurationsThatDifferOnlyInOtherSettingsAreToldApart) {
  const Plan plan = make_plan(parse_sweep(
      "[sweep]\nname = \"two\"\n[base]\nmodel_id = \"t2v-a14b\"\nweights = \"random:1\"\nsize = \"832x480\"\nbackend "
      "= \"cuda\"\nranks = 4\noffload = \"swap\"\n[matrix]\nframes = [41, 81]\nhost_memory = [\"pinned\", "
      "\"pageable\"]\n",
      "two.toml"));
  const Machine machine = plain();
  const std::string text =
      predictions_as_text({machine, "plain.toml", ""}, plan, predict_all(machine, run_plans(plan)));
  for (const char* row : {"frames 41  ", "frames 41, host_memory pageable", "frames 81  "}) {
    EXPECT_NE(text.find(row), std::string::npos) << row << text;
  }
}

TEST(EstimateText, HasNoNegativeZeroAndAsManyDigitsAsTheIntervalMakesMeaningful) {
  EXPECT_EQ(estimate_text({-0.4, -10, 10}), "0 (-10 to 10)");
  EXPECT_EQ(estimate_text({-0.04, -0.6, 0.55}), "0.0 (-0.6 to 0.6)");
  EXPECT_EQ(estimate_text({-1e-9, -1e-9, -1e-9}), "0.000");
  EXPECT_EQ(estimate_text({412.13, 350.2, 480}), "412 (350 to 480)");
}

}  // namespace
}  // namespace wansweep
