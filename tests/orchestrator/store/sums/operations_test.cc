#include "orchestrator/store/sums/operations.h"

#include <gtest/gtest.h>

#include "schema/model_catalog.h"

namespace wansweep {
namespace {

ModelConfig a14b() { return identify_model("", "t2v-a14b").config; }

// 480p, 81 frames: 32,760 tokens. Two operations a parameter of the blocks' matrices and a token, and 4 N N D a layer.
TEST(Operations, OfOneForwardAreThoseOfItsMatricesAndItsAttention) {
  const Operations operations = operations_of(a14b(), {.tokens = 32'760, .text_tokens = 512, .steps = 1});
  const double parameters = 14.05e9;  // of 40 blocks; those of text's k and v have 512 tokens to work on, not 32,760
  const double of_text = 40 * 2.0 * 5120 * 5120;
  EXPECT_NEAR(operations.products, 2 * 32'760 * (parameters - of_text) + 2 * 512 * of_text, 0.01 * operations.products);
  EXPECT_NEAR(operations.attention, 40 * 4 * 32'760.0 * 5120 * (32'760 + 512), 1e6);
}

// The second forward of a step takes what comes before its first cross-attention from the first: one of 80
// self-attentions.
TEST(Operations, AGuidedStepOnOneRankMakesItsBeginningOnce) {
  LoopWork work{.tokens = 32'760, .text_tokens = 512, .steps = 27, .guided = true};
  const Operations together = operations_of(a14b(), work);
  work.one_rank_makes_both = false;
  const Operations apart = operations_of(a14b(), work);
  EXPECT_DOUBLE_EQ(apart.attention - together.attention, 27 * 4 * 32'760.0 * 32'760 * 5120);
  EXPECT_GT(apart.products, together.products);
}

}  // namespace
}  // namespace wansweep
