#include "worker/device/cpu/cpu_ops.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/float_formats.h"
#include "tests/support/expect_error.h"
#include "tests/worker/device/ops_fixture.h"

namespace wansweep {
namespace {

using CpuOpsTest = OpsTest;

double activate(double x, Activation activation) {
  if (activation == Activation::silu) return x / (1 + std::exp(-x));
  if (activation == Activation::gelu_tanh)
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return x;
}

TEST_F(CpuOpsTest, LinearIsAMatrixProductWithBiasAndActivation) {
  for (const auto [m, n, k] : {std::array<int64_t, 3>{1, 1, 1}, {7, 13, 5}, {65, 33, 129}, {1, 30, 256}}) {
    const Floats x = random(m * k);
    const Floats w = random(n * k, 1 / std::sqrt(static_cast<double>(k)));
    const Floats bias = random(n);
    for (const Activation activation : {Activation::none, Activation::gelu_tanh, Activation::silu}) {
      for (const bool with_bias : {true, false}) {
        Doubles want;
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            double sum = with_bias ? bias[j] : 0;
            for (int64_t l = 0; l < k; ++l) sum += double{x[i * k + l]} * w[j * k + l];
            want.push_back(activate(sum, activation));
          }
        }
        Floats y(static_cast<size_t>(m * n), NAN);
        ops().linear(
            {DType::f32, x.data(), weight(w), with_bias ? weight(bias) : Weight{}, y.data(), m, n, k, activation});
        finish();
        EXPECT_LT(distance(y, want), 1e-5) << m << " " << n << " " << k;
      }
    }
  }
}

TEST_F(CpuOpsTest, ActivationsAreRightFarFromZero) {
  const Floats x = {-100, -20, -8, -3, -0.01F, 0, 0.01F, 3, 8, 20, 100};
  const Floats one = {1};
  Floats y(x.size());
  const auto n = static_cast<int64_t>(x.size());
  ops().linear({DType::f32, x.data(), weight(one), Weight{}, y.data(), n, 1, 1, Activation::gelu_tanh});
  finish();
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(y[i], activate(x[i], Activation::gelu_tanh), 1e-6 * (1 + std::abs(x[i])));
  ops().silu(x.data(), y.data(), n);
  finish();
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(y[i], activate(x[i], Activation::silu), 1e-6 * (1 + std::abs(x[i])));
}

TEST_F(CpuOpsTest, ValuesThatAreNotFiniteAreCounted) {
  const Floats x = {0, INFINITY, -1, NAN, 1e38F, -INFINITY};
  int64_t count = 7;
  ops().count_not_finite(x.data(), 6, &count);
  finish();
  EXPECT_EQ(count, 3);
  ops().count_not_finite(x.data(), 1, &count);
  finish();
  EXPECT_EQ(count, 0);
}

TEST_F(CpuOpsTest, LinearOfNoRowsDoesNothing) {
  const Floats w = {1};
  Floats y = {7};
  ops().linear({DType::f32, nullptr, weight(w), Weight{}, y.data(), 0, 1, 1, Activation::silu});
  finish();
  EXPECT_EQ(y, Floats{7}) << "nothing is written";
}

TEST_F(CpuOpsTest, LinearTwiceGivesTheSameBits) {
  const Floats x = random(70 * 90);
  const Floats w = random(50 * 90);
  Floats first(70 * 50);
  Floats second(70 * 50);
  ops().linear({DType::f32, x.data(), weight(w), Weight{}, first.data(), 70, 50, 90, Activation::none});
  ops().linear({DType::f32, x.data(), weight(w), Weight{}, second.data(), 70, 50, 90, Activation::none});
  finish();
  EXPECT_EQ(first, second);
}

TEST_F(CpuOpsTest, TypesOtherThanF32AreRefusedAtTheCall) {
  const Floats w = {1};
  float y = 0;
  expect_error(ExitCode::bad_input, "linear: the CPU backend computes in f32", [&] {
    ops().linear({DType::bf16, w.data(), weight(w), Weight{}, &y, 1, 1, 1, Activation::none});
  });
  expect_error(ExitCode::bad_input, "layer_norm: the CPU backend computes in f32", [&] {
    ops().layer_norm({DType::f32, w.data(), {w.data(), DType::bf16}, 1, weight(w), &y, 1, 1, 0});
  });
  expect_error(ExitCode::bad_input, "a size is 4294967296", [&] {
    ops().linear({DType::f32, w.data(), weight(w), Weight{}, &y, int64_t{1} << 32, 1, 1, Activation::none});
  });
}

TEST_F(CpuOpsTest, LayerNormScalesAndShifts) {
  for (const int64_t dim : {1, 7, 40, 131}) {
    const int64_t rows = 5;
    Floats x = random(rows * dim);
    for (float& value : x) value += 1000;  // a mean far from 0 must not cost precision
    const Floats gain = random(dim);
    const Floats shift = random(dim);
    Doubles want;
    for (int64_t row = 0; row < rows; ++row) {
      double mean = 0;
      double variance = 0;
      for (int64_t i = 0; i < dim; ++i) mean += x[row * dim + i] / static_cast<double>(dim);
      for (int64_t i = 0; i < dim; ++i) variance += std::pow(x[row * dim + i] - mean, 2) / static_cast<double>(dim);
      for (int64_t i = 0; i < dim; ++i) {
        want.push_back((x[row * dim + i] - mean) / std::sqrt(variance + 1e-6) * (gain[i] + 1.0) + shift[i]);
      }
    }
    Floats y(x.size());
    ops().layer_norm({DType::f32, x.data(), weight(gain), 1, weight(shift), y.data(), rows, dim, 1e-6F});
    finish();
    EXPECT_LT(distance(y, want), 1e-5) << dim;
  }
}

TEST_F(CpuOpsTest, RmsNormReadsStridedRows) {
  const int64_t rows = 4;
  const int64_t dim = 19;
  const int64_t stride = 23;
  const Floats x = random(rows * stride);
  const Floats w = random(dim);
  Doubles want;
  for (int64_t row = 0; row < rows; ++row) {
    double squares = 0;
    for (int64_t i = 0; i < dim; ++i) squares += std::pow(x[row * stride + i], 2);
    for (int64_t i = 0; i < dim; ++i) want.push_back(x[row * stride + i] / std::sqrt(squares / dim + 1e-6) * w[i]);
  }
  Floats y(static_cast<size_t>(rows * dim));
  ops().rms_norm(DType::f32, x.data(), stride, weight(w), y.data(), rows, dim, 1e-6F);
  finish();
  EXPECT_LT(distance(y, want), 1e-5);
}

struct Split {
  int64_t rows = 6;
  int heads = 5;
  int head_dim = 6;
  int64_t dim = 30;
  Floats qkv, norm_q, norm_k, cos_sin;
  Doubles want[3];  // dense [rows, dim]
};

Split make_split(Floats qkv, Floats norm_q, Floats norm_k, const Floats& angles) {
  Split split;
  for (const float angle : angles) {
    split.cos_sin.push_back(std::cos(angle));
    split.cos_sin.push_back(std::sin(angle));
  }
  for (int which = 0; which < 3; ++which) {
    const Floats& norm = which == 0 ? norm_q : norm_k;
    for (int64_t row = 0; row < split.rows; ++row) {
      const float* x = qkv.data() + (row * 3 + which) * split.dim;
      double squares = 0;
      for (int64_t i = 0; i < split.dim; ++i) squares += double{x[i]} * x[i];
      const double inverse = 1 / std::sqrt(squares / static_cast<double>(split.dim) + 1e-6);
      for (int64_t i = 0; i < split.dim; i += 2) {
        const float* turn = split.cos_sin.data() + row * split.head_dim + i % split.head_dim;
        const double x0 = x[i] * inverse * norm[i];
        const double x1 = x[i + 1] * inverse * norm[i + 1];
        split.want[which].push_back(which == 2 ? x[i] : x0 * turn[0] - x1 * turn[1]);
        split.want[which].push_back(which == 2 ? x[i + 1] : x0 * turn[1] + x1 * turn[0]);
      }
    }
  }
  split.qkv = std::move(qkv);
  split.norm_q = std::move(norm_q);
  split.norm_k = std::move(norm_k);
  return split;
}

TEST_F(CpuOpsTest, SplitQkvNormalisesRotatesAndPartsAndMergeHeadsUndoesTheParts) {
  const Split split = make_split(random(6 * 90), random(30), random(30), random(6 * 3, 2));
  for (const std::vector<int>& heads_of_part : {std::vector<int>{5}, {2, 2, 1}, {1, 4}, {3, 0, 2}}) {
    Floats qkv = split.qkv;
    Floats parted[3] = {Floats(180, NAN), Floats(180, NAN), Floats(180, NAN)};
    ops().split_qkv({DType::f32, qkv.data(), weight(split.norm_q), weight(split.norm_k), split.cos_sin.data(),
                     parted[0].data(), parted[1].data(), parted[2].data(), HeadParts{heads_of_part}, split.rows,
                     split.heads, split.head_dim, 1e-6F});
    for (int which = 0; which < 3; ++which) {
      Floats merged(180, NAN);
      ops().merge_heads(DType::f32, parted[which].data(), HeadParts{heads_of_part}, merged.data(), split.rows, 6);
      finish();
      EXPECT_LT(distance(merged, split.want[which]), 1e-5);
    }
    // The second part starts after all rows of the first, with its own first head.
    if (heads_of_part[0] != 5) {
      EXPECT_NEAR(parted[0][static_cast<size_t>(heads_of_part[0] * 6 * 6)],
                  split.want[0][static_cast<size_t>(heads_of_part[0] * 6)], 1e-5);
    }
    EXPECT_EQ(qkv, split.qkv);
  }
}

TEST_F(CpuOpsTest, SplitQkvWorksInPlaceWithTheSameBits) {
  const Split split = make_split(random(6 * 90), random(30), random(30), random(6 * 3, 2));
  const int all = 5;
  Floats qkv = split.qkv;
  Floats in_place = split.qkv;
  Floats parted[3] = {Floats(180), Floats(180), Floats(180)};
  ops().split_qkv({DType::f32, qkv.data(), weight(split.norm_q), weight(split.norm_k), split.cos_sin.data(),
                   parted[0].data(), parted[1].data(), parted[2].data(), HeadParts{{&all, 1}}, 6, 5, 6, 1e-6F});
  ops().split_qkv({DType::f32, in_place.data(), weight(split.norm_q), weight(split.norm_k), split.cos_sin.data(),
                   nullptr, nullptr, nullptr, HeadParts{}, 6, 5, 6, 1e-6F});
  finish();
  for (int64_t row = 0; row < 6; ++row) {
    for (int which = 0; which < 3; ++which) {
      for (int64_t i = 0; i < 30; ++i) EXPECT_EQ(in_place[(row * 3 + which) * 30 + i], parted[which][row * 30 + i]);
    }
  }
}

TEST_F(CpuOpsTest, PartsThatDoNotMakeAllHeadsAreADefect) {
  Floats values(90);
  const std::vector<int> parts = {2, 2};
  expect_error(ExitCode::internal, "split_qkv: the parts have 4 heads; 5 are needed", [&] {
    ops().split_qkv({DType::f32, values.data(), weight(values), weight(values), values.data(), values.data(),
                     values.data(), values.data(), HeadParts{parts}, 1, 5, 6, 0});
  });
}

TEST_F(CpuOpsTest, AddGatedAddsWithAndWithoutAGate) {
  const Floats x = random(3 * 17);
  const Floats y = random(3 * 17);
  const Floats gate = random(17);
  for (const float* gates : {gate.data(), static_cast<const float*>(nullptr)}) {
    Doubles want;
    for (size_t i = 0; i < x.size(); ++i)
      want.push_back(x[i] + double{y[i]} * (gates != nullptr ? gates[i % 17] : 1.0));
    Floats sum = x;
    ops().add_gated(DType::f32, sum.data(), y.data(), gates, 3, 17);
    finish();
    EXPECT_LT(distance(sum, want), 1e-6);
  }
}

TEST_F(CpuOpsTest, AddTableAdds) {
  const Floats table = random(13);
  const Floats vector = random(13);
  Floats sum(13);
  ops().add_table(weight(table), vector.data(), sum.data(), 13);
  finish();
  for (size_t i = 0; i < sum.size(); ++i) EXPECT_EQ(sum[i], table[i] + vector[i]);
}

TEST_F(CpuOpsTest, ConvertGoesBetweenAllTypes) {
  const Floats x = {0, -0.0F, 1, -2.5F, 65504, 1e-7F, INFINITY, -INFINITY};
  for (const DType to : {DType::f32, DType::bf16, DType::f16}) {
    std::vector<uint32_t> raw(x.size());
    Floats back(x.size(), NAN);
    const auto n = static_cast<int64_t>(x.size());
    ops().convert(DType::f32, x.data(), to, raw.data(), n);
    ops().convert(to, raw.data(), DType::f32, back.data(), n);
    finish();
    for (size_t i = 0; i < x.size(); ++i) {
      if (!std::isfinite(x[i]) || x[i] == 0) {
        EXPECT_EQ(std::bit_cast<uint32_t>(back[i]), std::bit_cast<uint32_t>(x[i]));
      } else {
        EXPECT_NEAR(back[i], x[i], std::abs(x[i]) / 256 + 6e-8);
      }
    }
  }
}

TEST(FloatFormats, EveryF16AndBf16ComesBackFromF32) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto value = static_cast<uint16_t>(bits);
    if (std::isnan(f16_to_f32(value))) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(f16_to_f32(value)))));
    } else {
      ASSERT_EQ(f32_to_f16(f16_to_f32(value)), value);
    }
    if (std::isnan(bf16_to_f32(value))) {
      EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(bf16_to_f32(value)))));
    } else {
      ASSERT_EQ(f32_to_bf16(bf16_to_f32(value)), value);
    }
  }
}

TEST(FloatFormats, RoundingIsToNearestEven) {
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F808000U)), 0x3F80);  // half way, even below
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F818000U)), 0x3F82);  // half way, even above
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7F800001U)))));
  EXPECT_EQ(f32_to_f16(2049), 0x6800);
  EXPECT_EQ(f32_to_f16(2051), 0x6802);
  EXPECT_EQ(f32_to_f16(65519.996F), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520), 0x7C00);
  EXPECT_EQ(f32_to_f16(0x1p-24F), 1);
  EXPECT_EQ(f32_to_f16(0x1p-25F), 0);
  EXPECT_EQ(f32_to_f16(-0x1.8p-24F), 0x8002);
}

TEST_F(CpuOpsTest, UnipcStepFollowsItsFormula) {
  const int64_t n = 37;
  const Floats cond = random(n);
  const Floats uncond = random(n);
  const UniPCStep step{4, 0.7F, true, 0.3F, -0.2F, 0.1F, 0.6F, 0.9F, -0.4F, 0.25F};
  for (const bool correct : {true, false}) {
    for (const bool guided : {true, false}) {
      UniPCStep used = step;
      used.correct = correct;
      Floats x = random(n);
      Floats last = random(n);
      Floats m0 = random(n);
      Floats m1 = random(n);
      Floats v(n);
      Doubles want[5];
      for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
        const double noise = guided ? uncond[i] + 4.0 * (cond[i] - uncond[i]) : cond[i];
        const double m = x[i] - double{step.sigma} * noise;
        const double c = correct ? 0.3 * last[i] - 0.2 * m0[i] + 0.1 * m1[i] + 0.6 * m : x[i];
        const double values[5] = {noise, 0.9 * c - 0.4 * m + 0.25 * m0[i], c, m, m0[i]};
        for (int j = 0; j < 5; ++j) want[j].push_back(values[j]);
      }
      ops().unipc_step({DType::f32, used, cond.data(), guided ? uncond.data() : nullptr, v.data(), x.data(),
                        last.data(), m0.data(), m1.data(), n});
      finish();
      EXPECT_LT(distance(v, want[0]), 1e-5);
      EXPECT_LT(distance(x, want[1]), 1e-5);
      EXPECT_LT(distance(last, want[2]), 1e-5);
      EXPECT_LT(distance(m0, want[3]), 1e-5);
      EXPECT_LT(distance(m1, want[4]), 1e-5);
    }
  }
}

TEST_F(CpuOpsTest, TheFirstUnipcStepDoesNotReadAnUnsetHistory) {
  const Floats cond = random(5);
  Floats x = random(5);
  Floats last(5, NAN);
  Floats m0(5, NAN);
  Floats m1(5, NAN);
  Floats v(5);
  ops().unipc_step({DType::f32,
                    {.sigma = 1, .p_x = 0.5F, .p_mt = 0.5F},
                    cond.data(),
                    nullptr,
                    v.data(),
                    x.data(),
                    last.data(),
                    m0.data(),
                    m1.data(),
                    5});
  finish();
  for (const float value : x) EXPECT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace wansweep
