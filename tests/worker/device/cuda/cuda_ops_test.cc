// Every operation of the CUDA backend against the CPU backend's on the same input, at sizes with a fast path and odd
// ones.

#include <array>
#include <limits>
#include <numeric>

#include "tests/support/expect_error.h"
#include "tests/worker/device/cuda/cuda_fixture.h"

namespace wansweep::test {
namespace {

constexpr std::array both_types{DType::f32, DType::bf16};
constexpr float eps = 1e-6F;

using CudaOpsTest = CudaTest;

TEST_F(CudaOpsTest, LinearIsAMatrixProductWithBiasAndActivation) {
  for (const DType type : both_types) {
    for (const auto [m, n, k] : {std::array<int64_t, 3>{1, 30, 256}, {7, 16, 24}, {65, 40, 136}, {333, 576, 192}}) {
      const Floats x = random(type, m * k);
      const Floats w = random(type, n * k, 1 / std::sqrt(static_cast<double>(k)));
      const Floats bias = random(type, n);
      const OnGpu gpu_x = put(type, x), gpu_w = put(type, w), gpu_bias = put(type, bias);
      for (const Activation activation : {Activation::none, Activation::gelu_tanh, Activation::silu}) {
        for (const bool with_bias : {true, false}) {
          Floats want(static_cast<size_t>(m * n));
          reference().linear(
              {DType::f32, x.data(), weight(w), with_bias ? weight(bias) : Weight{}, want.data(), m, n, k, activation});
          finish_reference();
          const OnGpu y = room(type, m * n);
          ops().linear({type, gpu_x.data(), gpu_w.weight(), with_bias ? gpu_bias.weight() : Weight{}, y.data(), m, n, k,
                        activation});
          EXPECT_LT(difference(y.values(), want), bar(type))
              << name(type) << " " << m << " " << n << " " << k << ", activation " << static_cast<int>(activation);
        }
      }
    }
  }
}

TEST_F(CudaOpsTest, LinearTwiceGivesTheSameBits) {
  const int64_t m = 1000, n = 512, k = 1536;
  const OnGpu x = put(DType::bf16, random(DType::bf16, m * k)), w = put(DType::bf16, random(DType::bf16, n * k));
  const OnGpu first = room(DType::bf16, m * n), second = room(DType::bf16, m * n);
  for (const OnGpu* y : {&first, &second}) {
    ops().linear({DType::bf16, x.data(), w.weight(), {}, y->data(), m, n, k, Activation::none});
  }
  EXPECT_EQ(first.values(), second.values());
}

TEST_F(CudaOpsTest, F32IsNotRoundedToTf32) {
  const Floats x = {1.0F + 0x1p-20F}, w = {1};
  const OnGpu y = room(DType::f32, 1);
  ops().linear(
      {DType::f32, put(DType::f32, x).data(), put(DType::f32, w).weight(), {}, y.data(), 1, 1, 1, Activation::none});
  EXPECT_EQ(y.values(), x);
}

TEST_F(CudaOpsTest, WrongTypesAreRefusedAtTheCall) {
  expect_error(ExitCode::bad_input, "linear: the type is f16; the CUDA backend computes in bf16 or f32", [&] {
    ops().linear({DType::f16, nullptr, {}, {}, nullptr, 1, 1, 1, Activation::none});
  });
  expect_error(ExitCode::bad_input, "weights and bias must have the type of the activations", [&] {
    ops().linear({DType::bf16, nullptr, {nullptr, DType::f32}, {}, nullptr, 1, 1, 1, Activation::none});
  });
  expect_error(ExitCode::bad_input, "head_dim is 12; cuDNN needs a multiple of 8", [&] {
    ops().attention({DType::bf16, {}, {}, {}, nullptr, nullptr, 1, 1, 1, 12});
  });
}

TEST_F(CudaOpsTest, LayerNormScalesAndShifts) {
  const int64_t rows = 7;
  for (const DType type : both_types) {
    for (const int64_t dim : {1, 131, 192, 1536, 3072, 5120}) {
      const Floats x = random(type, rows * dim);
      const OnGpu gpu_x = put(type, x);
      for (const DType weights : both_types) {
        const Floats gain = random(weights, dim), shift = random(weights, dim);
        for (const float offset : {0.0F, 1.0F}) {
          Floats want(x.size());
          reference().layer_norm(
              {DType::f32, x.data(), weight(gain), offset, weight(shift), want.data(), rows, dim, eps});
          finish_reference();
          const OnGpu y = room(type, rows * dim);
          ops().layer_norm({type, gpu_x.data(), put(weights, gain).weight(), offset, put(weights, shift).weight(),
                            y.data(), rows, dim, eps});
          EXPECT_LT(difference(y.values(), want), bar(type)) << name(type) << " " << dim;
        }
      }
    }
  }
}

TEST_F(CudaOpsTest, RmsNormReadsStridedRows) {
  const int64_t rows = 6;
  for (const DType type : both_types) {
    for (const int64_t dim : {19, 192, 1536, 3072, 5120}) {
      for (const int64_t stride : {dim, 2 * dim, dim + 3}) {
        const Floats x = random(type, rows * stride), w = random(type, dim);
        Floats want(static_cast<size_t>(rows * dim));
        reference().rms_norm(DType::f32, x.data(), stride, weight(w), want.data(), rows, dim, eps);
        finish_reference();
        const OnGpu y = room(type, rows * dim);
        ops().rms_norm(type, put(type, x).data(), stride, put(type, w).weight(), y.data(), rows, dim, eps);
        EXPECT_LT(difference(y.values(), want), bar(type)) << name(type) << " " << dim << " " << stride;
      }
    }
  }
}

struct Heads {
  int heads, head_dim;
  std::vector<int> parts;
  int64_t rows = 9;
};

TEST_F(CudaOpsTest, QkvIsNormedTurnedAndLaidOutByParts) {
  const std::vector<Heads> cases{
      {8, 24, {8}},     {8, 24, {3, 3, 2}},     {5, 6, {2, 1, 1, 1}}, {40, 128, {7, 7, 7, 7, 6, 6}},
      {40, 128, {40}},  {24, 128, {12, 12}},    {12, 128, {5, 7}},    {64, 48, {30, 34}},
      {3, 512, {1, 2}}, {12, 128, {5, 7}, 3001}};  // the last: several rows a block
  for (const DType type : both_types) {
    for (const Heads& c : cases) {
      const int64_t rows = c.rows, dim = int64_t{c.heads} * c.head_dim;
      Floats qkv = random(type, rows * 3 * dim);
      const Floats norm_q = random(type, dim), norm_k = random(type, dim);
      Floats cos_sin;
      for (const float angle : random(DType::f32, rows * c.head_dim / 2, 3)) {
        cos_sin.push_back(std::cos(angle));
        cos_sin.push_back(std::sin(angle));
      }
      const OnGpu gpu_q = put(type, norm_q), gpu_k = put(type, norm_k), gpu_turn = put(DType::f32, cos_sin);

      Floats want[3];
      for (Floats& each : want) each.resize(static_cast<size_t>(rows * dim));
      reference().split_qkv({DType::f32,
                             qkv.data(),
                             weight(norm_q),
                             weight(norm_k),
                             cos_sin.data(),
                             want[0].data(),
                             want[1].data(),
                             want[2].data(),
                             {c.parts},
                             rows,
                             c.heads,
                             c.head_dim,
                             eps});
      const OnGpu q = room(type, rows * dim), k = room(type, rows * dim), v = room(type, rows * dim);
      const OnGpu in = put(type, qkv);
      ops().split_qkv({type,
                       in.data(),
                       gpu_q.weight(),
                       gpu_k.weight(),
                       gpu_turn.floats(),
                       q.data(),
                       k.data(),
                       v.data(),
                       {c.parts},
                       rows,
                       c.heads,
                       c.head_dim,
                       eps});
      finish_reference();
      EXPECT_LT(difference(q.values(), want[0]), bar(type)) << name(type) << " q " << dim;
      EXPECT_LT(difference(k.values(), want[1]), bar(type)) << name(type) << " k " << dim;
      EXPECT_EQ(v.values(), want[2]) << name(type) << " v " << dim;

      const OnGpu in_place = put(type, qkv);
      ops().split_qkv({type,
                       in_place.data(),
                       gpu_q.weight(),
                       gpu_k.weight(),
                       gpu_turn.floats(),
                       nullptr,
                       nullptr,
                       nullptr,
                       {},
                       rows,
                       c.heads,
                       c.head_dim,
                       eps});
      reference().split_qkv({DType::f32,
                             qkv.data(),
                             weight(norm_q),
                             weight(norm_k),
                             cos_sin.data(),
                             nullptr,
                             nullptr,
                             nullptr,
                             {},
                             rows,
                             c.heads,
                             c.head_dim,
                             eps});
      finish_reference();
      EXPECT_LT(difference(in_place.values(), qkv), bar(type)) << name(type) << " in place " << dim;
    }
  }
}

// More rows than the device holds blocks at once, so that each block takes several.
TEST_F(CudaOpsTest, NormsOfManyRowsAreRight) {
  for (const auto [dim, rows] : {std::array<int64_t, 2>{1536, 7001}, {5120, 2101}}) {
    Floats x = random(DType::bf16, rows * dim);
    for (float& value : x) value += 16;  // sums of squares less squares of sums would lose the variance
    const OnGpu gpu_x = put(DType::bf16, x), y = room(DType::bf16, rows * dim);
    x = gpu_x.values();  // as rounded
    const Floats gain = random(DType::f32, dim), shift = random(DType::f32, dim), norm = random(DType::bf16, dim);
    Floats want(x.size());
    reference().layer_norm({DType::f32, x.data(), weight(gain), 1, weight(shift), want.data(), rows, dim, eps});
    finish_reference();
    ops().layer_norm({DType::bf16, gpu_x.data(), put(DType::f32, gain).weight(), 1, put(DType::f32, shift).weight(),
                      y.data(), rows, dim, eps});
    EXPECT_LT(difference(y.values(), want), bar(DType::bf16)) << "layer_norm " << dim;
    reference().rms_norm(DType::f32, x.data(), dim, weight(norm), want.data(), rows, dim, eps);
    finish_reference();
    ops().rms_norm(DType::bf16, gpu_x.data(), dim, put(DType::bf16, norm).weight(), y.data(), rows, dim, eps);
    EXPECT_LT(difference(y.values(), want), bar(DType::bf16)) << "rms_norm " << dim;
  }
}

TEST_F(CudaOpsTest, HeadsComeTogetherFromTheirParts) {
  const int64_t rows = 11;
  for (const DType type : both_types) {
    for (const Heads& c : {Heads{8, 24, {3, 3, 2}}, Heads{5, 6, {2, 1, 2}}, Heads{40, 128, {7, 7, 7, 7, 6, 6}}}) {
      const int64_t values = rows * c.heads * c.head_dim;
      const Floats parted = random(type, values);
      Floats want(parted.size());
      reference().merge_heads(DType::f32, parted.data(), {c.parts}, want.data(), rows, c.head_dim);
      finish_reference();
      const OnGpu y = room(type, values);
      ops().merge_heads(type, put(type, parted).data(), {c.parts}, y.data(), rows, c.head_dim);
      EXPECT_EQ(y.values(), want) << name(type) << " " << c.heads;
    }
  }
}

TEST_F(CudaOpsTest, AGatedBranchIsAdded) {
  const int64_t rows = 19;
  for (const DType type : both_types) {
    for (const int64_t dim : {1, 131, 192, 5120}) {
      const Floats x = random(type, rows * dim), y = random(type, rows * dim), gate = random(DType::f32, dim);
      for (const bool gated : {true, false}) {
        Floats want = x;
        reference().add_gated(DType::f32, want.data(), y.data(), gated ? gate.data() : nullptr, rows, dim);
        finish_reference();
        const OnGpu sum = put(type, x), gpu_gate = put(DType::f32, gate);
        ops().add_gated(type, sum.data(), put(type, y).data(), gated ? gpu_gate.floats() : nullptr, rows, dim);
        EXPECT_LT(difference(sum.values(), want), bar(type)) << name(type) << " " << dim << (gated ? " gated" : "");
      }
    }
  }
}

TEST_F(CudaOpsTest, AnAdditionAndItsNormInOneGiveTheBitsOfTheTwo) {
  const int64_t rows = 700;  // more than there are blocks at once
  for (const DType type : both_types) {
    for (const int64_t dim : {131, 1536, 3072, 5120}) {
      const Floats x = random(type, rows * dim), y = random(type, rows * dim), gate = random(DType::f32, dim);
      const OnGpu addend = put(type, y), gpu_gate = put(DType::f32, gate),
                  gain = put(DType::f32, random(DType::f32, dim)), shift = put(DType::f32, random(DType::f32, dim));
      for (const float* gates : {gpu_gate.floats(), static_cast<float*>(nullptr)}) {
        const OnGpu one = put(type, x), two = put(type, x), norm_of_one = room(type, rows * dim),
                    norm_of_two = room(type, rows * dim);
        const auto norm = [&](const OnGpu& sum, const OnGpu& to) {
          return LayerNormArguments{type, sum.data(), gain.weight(), 1, shift.weight(), to.data(), rows, dim, eps};
        };
        ops().add_gated_and_norm(one.data(), addend.data(), gates, norm(one, norm_of_one));
        ops().add_gated(type, two.data(), addend.data(), gates, rows, dim);
        ops().layer_norm(norm(two, norm_of_two));
        EXPECT_EQ(one.values(), two.values()) << name(type) << " " << dim << (gates ? " gated" : "");
        EXPECT_EQ(norm_of_one.values(), norm_of_two.values()) << name(type) << " " << dim << (gates ? " gated" : "");
      }
    }
  }
}

TEST_F(CudaOpsTest, ATableAndAVectorAreAdded) {
  for (const DType type : both_types) {
    const Floats table = random(type, 777), vector = random(DType::f32, 777);
    Floats want(table.size());
    reference().add_table(weight(table), vector.data(), want.data(), 777);
    finish_reference();
    const OnGpu out = room(DType::f32, 777);
    ops().add_table(put(type, table).weight(), put(DType::f32, vector).floats(), out.floats(), 777);
    EXPECT_EQ(out.values(), want) << name(type);
  }
}

TEST_F(CudaOpsTest, ValuesAreConvertedToNearestEven) {
  Floats x = random(DType::f32, 1001, 100);
  x[0] = std::numeric_limits<float>::infinity();
  x[1] = -0.0F;
  x[2] = 1.0F + 0x1p-9F;  // between two values of bf16
  x[3] = 1e-40F;
  for (const DType from : {DType::f32, DType::bf16, DType::f16}) {
    for (const DType to : {DType::f32, DType::bf16, DType::f16}) {
      const OnGpu y = room(to, 1001);
      const OnGpu in = put(from, x);
      ops().convert(from, in.data(), to, y.data(), 1001);
      EXPECT_EQ(y.values(), put(to, in.values()).values()) << static_cast<int>(from) << " " << static_cast<int>(to);
    }
  }
}

TEST_F(CudaOpsTest, SiluIsRightFarFromZero) {
  const Floats x = {-100, -20, -3, -0.01F, 0, 0.01F, 3, 20, 100};
  const auto n = static_cast<int64_t>(x.size());
  Floats want(x.size());
  reference().silu(x.data(), want.data(), n);
  finish_reference();
  const OnGpu y = room(DType::f32, n);
  ops().silu(put(DType::f32, x).floats(), y.floats(), n);
  EXPECT_LT(difference(y.values(), want), 1e-6);
}

TEST_F(CudaOpsTest, ASchedulerStepUpdatesItsHistory) {
  const UniPCStep full{.guidance = 4,
                       .sigma = 0.7F,
                       .correct = true,
                       .c_last = 0.9F,
                       .c_m0 = 0.2F,
                       .c_m1 = -0.1F,
                       .c_mt = 0.05F,
                       .p_x = 0.8F,
                       .p_mt = 0.3F,
                       .p_m0 = -0.1F};
  const UniPCStep first{.guidance = 4, .sigma = 0.999F, .p_x = 0.9F, .p_mt = 0.1F};
  for (const DType type : both_types) {
    for (const int64_t n : {3, 1024, 4099}) {
      for (const bool guided : {true, false}) {
        for (const UniPCStep& step : {full, first}) {
          const Floats cond = random(type, n), uncond = random(type, n);
          Floats state[4], noise_pred(static_cast<size_t>(n));
          for (Floats& each : state) each = random(DType::f32, n);
          if (!step.correct) state[1] = state[2] = state[3] = Floats(static_cast<size_t>(n), NAN);  // no history yet
          const OnGpu x = put(DType::f32, state[0]), last = put(DType::f32, state[1]), m0 = put(DType::f32, state[2]),
                      m1 = put(DType::f32, state[3]), v = room(DType::f32, n);
          const OnGpu gpu_cond = put(type, cond), gpu_uncond = put(type, uncond);
          ops().unipc_step({type, step, gpu_cond.data(), guided ? gpu_uncond.data() : nullptr, v.floats(), x.floats(),
                            last.floats(), m0.floats(), m1.floats(), n});
          reference().unipc_step({DType::f32, step, cond.data(), guided ? uncond.data() : nullptr, noise_pred.data(),
                                  state[0].data(), state[1].data(), state[2].data(), state[3].data(), n});
          finish_reference();
          EXPECT_LT(difference(v.values(), noise_pred), 2e-6) << name(type) << " " << n;
          EXPECT_LT(difference(x.values(), state[0]), 2e-6) << name(type) << " " << n;
          EXPECT_LT(difference(last.values(), state[1]), 2e-6) << name(type) << " " << n;
          EXPECT_LT(difference(m0.values(), state[2]), 2e-6) << name(type) << " " << n;
          if (step.correct) {
            EXPECT_EQ(m1.values(), state[3]) << name(type) << " " << n;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace wansweep::test
