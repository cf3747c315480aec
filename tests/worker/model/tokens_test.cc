#include "worker/model/tokens.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

ModelConfig a14b() {
  ModelConfig c;
  c.heads = 40, c.head_dim = 128, c.layers = 40, c.in_channels = c.out_channels = 16;
  return c;
}

TEST(LatentShape, Is21Times60Times104For81FramesOf480p) {
  const LatentShape shape = latent_shape(16, 81, 480, 832, {4, 8});
  EXPECT_EQ(shape, (LatentShape{16, 21, 60, 104}));
  EXPECT_EQ(token_count(a14b(), shape), 32760);
  EXPECT_EQ(token_count(a14b(), latent_shape(16, 81, 720, 1280, {4, 8})), 75600);
}

TEST(Tokens, ASizeThatThePatchDoesNotDivideIsNamed) {
  expect_error(ExitCode::bad_input, "61 rows cannot be cut into patches of 2", [] {
    token_count(a14b(), {16, 21, 61, 104});
  });
  expect_error(ExitCode::bad_input, "0 frames", [] { token_count(a14b(), {16, 0, 60, 104}); });
}

TEST(Tokens, APatchHoldsEachChannelsTwoByTwoValues) {
  ModelConfig c = a14b();
  c.in_channels = 2;
  const LatentShape shape{2, 1, 2, 4};
  std::vector<float> latents(16);
  std::iota(latents.begin(), latents.end(), 0.0f);
  // Channel 0 holds rows 0 1 2 3 and 4 5 6 7; channel 1 the same plus 8.
  EXPECT_EQ(patchify(c, shape, latents.data()),
            (std::vector<float>{0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15}));
}

TEST(Tokens, UnpatchifyGivesBackTheLatents) {
  const LatentShape shape{16, 3, 4, 6};
  std::vector<float> latents(static_cast<size_t>(shape.values()));
  std::iota(latents.begin(), latents.end(), 0.0f);
  EXPECT_EQ(unpatchify(a14b(), shape, patchify(a14b(), shape, latents.data()).data()), latents);
}

TEST(RotaryTable, SplitsAHeadOf128Into44And42And42) {
  const LatentShape shape{16, 2, 4, 6};  // tokens: 2 frames, 2 rows, 3 columns
  const std::vector<float> table = rotary_table(a14b(), shape, 0, 12);
  const auto angle = [&](int token, int pair) {
    const float* values = table.data() + token * 128 + 2 * pair;
    return std::atan2(values[1], values[0]);
  };
  for (int pair = 0; pair < 64; ++pair) EXPECT_EQ(angle(0, pair), 0) << pair;
  // The first frequency of each axis is 1: its angle is the position.
  EXPECT_NEAR(angle(6, 0), 1, 1e-6);   // frame 1
  EXPECT_NEAR(angle(3, 22), 1, 1e-6);  // row 1
  EXPECT_NEAR(angle(2, 43), 2, 1e-6);  // column 2
  EXPECT_NEAR(angle(6, 1), std::pow(1e4, -2.0 / 44), 1e-6);
  EXPECT_NEAR(angle(3, 23), std::pow(1e4, -2.0 / 42), 1e-6);
}

TEST(RotaryTable, OfAChunkEqualsThatPartOfTheWholeTable) {
  const LatentShape shape{16, 3, 4, 6};
  const std::vector<float> whole = rotary_table(a14b(), shape, 0, 18);
  const std::vector<float> chunk = rotary_table(a14b(), shape, 7, 5);
  EXPECT_EQ(chunk, std::vector<float>(whole.begin() + 7 * 128, whole.begin() + 12 * 128));
}

TEST(RotaryTable, PaddingStandsAtPosition0) {
  const LatentShape shape{16, 1, 4, 4};
  const std::vector<float> table = rotary_table(a14b(), shape, 3, 3);
  const std::vector<float> first = rotary_table(a14b(), shape, 0, 1);
  EXPECT_EQ(std::vector<float>(table.begin() + 128, table.begin() + 256), first);
  EXPECT_EQ(std::vector<float>(table.begin() + 256, table.end()), first);
}

TEST(TimestepEmbedding, IsCosinesThenSines) {
  const std::vector<float> zero = timestep_embedding(0, 8);
  EXPECT_EQ(zero, (std::vector<float>{1, 1, 1, 1, 0, 0, 0, 0}));
  const std::vector<float> at999 = timestep_embedding(999, 256);
  EXPECT_NEAR(at999[0], std::cos(999.0), 1e-4);
  EXPECT_NEAR(at999[128], std::sin(999.0), 1e-4);
  EXPECT_NEAR(at999[127], std::cos(999.0 * std::pow(1e4, -127.0 / 128)), 1e-5);
}

}  // namespace
}  // namespace wansweep
