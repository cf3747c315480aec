#include "orchestrator/store/sums/operations.h"

#include <gtest/gtest.h>

#include "schema/model_catalog.h"

namespace wansweep {
namespace {

ModelConfig a14b() { return identify_model("", "t2v-a14b").config; }

// 480p and 81 frames are N = 32,760 tokens. The blocks' matrices take two operations for each parameter and token;
// attention takes 4 N N D for each layer.
TEST(Operations, OfOneForwardAreThoseOfItsMatrixProductsAndItsAttention) {
  const Operations operations = operations_of(a14b(), {.tokens = 32'760, .text_tokens = 512, .steps = 1});
  const double parameters = 14.05e9;  // of 40 blocks, but for k and v of the text: it has 512 tokens, not 32,760
  const double of_text = 40 * 2.0 * 5120 * 5120;
  EXPECT_NEAR(operations.products, 2 * 32'760 * (parameters - of_text) + 2 * 512 * of_text, 0.01 * operations.products);
  EXPECT_NEAR(operations.attention, 40 * 4 * 32'760.0 * 5120 * (32'760 + 512), 1e6);
}

// What comes before a forward's first cross-attention is the same in both forwards of a step, and is computed once.
// This saves one of 80 self-attentions.
TEST(Operations, AGuidedStepOnOneRankComputesTheSharedPrefixOnce) {
  LoopWork work{.tokens = 32'760, .text_tokens = 512, .steps = 27, .guided = true};
  const Operations together = operations_of(a14b(), work);
  work.one_rank_makes_both = false;
  const Operations apart = operations_of(a14b(), work);
  EXPECT_DOUBLE_EQ(apart.attention - together.attention, 27 * 4 * 32'760.0 * 32'760 * 5120);
  EXPECT_GT(apart.products, together.products);
}

}  // namespace
}  // namespace wansweep
