#include "worker/device/cpu/cpu_attention.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/worker/device/ops_fixture.h"

namespace wansweep {
namespace {

using CpuAttentionTest = OpsTest;

constexpr float none = -std::numeric_limits<float>::infinity();

struct Result {
  Doubles out;  // [q_rows, heads, head_dim]
  Doubles lse;  // [heads, q_rows]
};

Result reference(FloatRows q, FloatRows k, FloatRows v, int64_t q_rows, int64_t kv_rows, int heads, int head_dim) {
  Result result{Doubles(static_cast<size_t>(q_rows * heads * head_dim)), Doubles(static_cast<size_t>(q_rows * heads))};
  for (int head = 0; head < heads; ++head) {
    for (int64_t row = 0; row < q_rows; ++row) {
      Doubles scores;
      double most = -INFINITY;
      for (int64_t key = 0; key < kv_rows; ++key) {
        double score = 0;
        for (int i = 0; i < head_dim; ++i) {
          score += double{q.data[row * q.stride + head * head_dim + i]} * k.data[key * k.stride + head * head_dim + i];
        }
        scores.push_back(score / std::sqrt(head_dim));
        most = std::max(most, scores.back());
      }
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - most);
      for (int64_t key = 0; key < kv_rows; ++key) {
        for (int i = 0; i < head_dim; ++i) {
          result.out[static_cast<size_t>((row * heads + head) * head_dim + i)] +=
              scores[static_cast<size_t>(key)] / sum * v.data[key * v.stride + head * head_dim + i];
        }
      }
      result.lse[static_cast<size_t>(head * q_rows + row)] = most + std::log(sum);
    }
  }
  return result;
}

TEST_F(CpuAttentionTest, MatchesTheFormulaForOddSizesAndStrides) {
  for (const auto [q_rows, kv_rows, heads, head_dim] :
       {std::array{1, 1, 1, 2}, {3, 5, 2, 4}, {65, 257, 3, 10}, {64, 256, 1, 128}, {130, 700, 2, 16}}) {
    const int64_t dim = int64_t{heads} * head_dim;
    for (const double scale : {1.0, 8.0}) {
      const Floats qkv = random(std::max(q_rows, kv_rows) * 3 * dim, scale);
      const FloatRows q{qkv.data(), 3 * dim};
      const FloatRows k{qkv.data() + dim, 3 * dim};
      const FloatRows v{qkv.data() + 2 * dim, 3 * dim};
      Floats out(static_cast<size_t>(q_rows * dim), NAN);
      Floats lse(static_cast<size_t>(q_rows * heads), NAN);
      ops().attention({DType::f32,
                       {q.data, q.stride},
                       {k.data, k.stride},
                       {v.data, v.stride},
                       out.data(),
                       lse.data(),
                       q_rows,
                       kv_rows,
                       heads,
                       head_dim});
      finish();
      const Result want = reference(q, k, v, q_rows, kv_rows, heads, head_dim);
      EXPECT_LT(distance(out, want.out), 2e-5 * scale * scale) << q_rows << " " << kv_rows;
      EXPECT_LT(distance(lse, want.lse), 1e-4 * scale * scale) << q_rows << " " << kv_rows;
    }
  }
}

TEST_F(CpuAttentionTest, TheLogarithmMayBeLeftOut) {
  const Floats x = random(10 * 4);
  Floats out(40, NAN);
  ops().attention({DType::f32, {x.data(), 4}, {x.data(), 4}, {x.data(), 4}, out.data(), nullptr, 10, 10, 1, 4});
  finish();
  EXPECT_TRUE(std::isfinite(out[39]));
}

TEST_F(CpuAttentionTest, NoKeysGiveZerosAndMinusInfinity) {
  const Floats q = random(3 * 4);
  Floats out(12, NAN);
  Floats lse(6, NAN);
  ops().attention({DType::f32, {q.data(), 4}, {}, {}, out.data(), lse.data(), 3, 0, 2, 2});
  finish();
  EXPECT_EQ(out, Floats(12, 0));
  EXPECT_EQ(lse, Floats(6, none));
}

TEST_F(CpuAttentionTest, NoQueriesGiveNothing) {
  const Floats k = random(8);
  Floats out(8, 7), lse(4, 7);
  ops().attention({DType::f32, {nullptr, 4}, {k.data(), 4}, {k.data(), 4}, out.data(), lse.data(), 0, 2, 2, 2});
  finish();
  EXPECT_EQ(out, Floats(8, 7)) << "nothing is written";
  EXPECT_EQ(lse, Floats(4, 7));
}

TEST_F(CpuAttentionTest, HugeScoresPickTheLargestKey) {
  const Floats q = {1e4F, 0};
  const Floats k = {-1e4F, 0, 1e4F, 0, 9e3F, 0};
  const Floats v = {1, 2, 3, 4, 5, 6};
  Floats out(2);
  Floats lse(1);
  ops().attention({DType::f32, {q.data(), 2}, {k.data(), 2}, {v.data(), 2}, out.data(), lse.data(), 1, 3, 1, 2});
  finish();
  EXPECT_EQ(out, (Floats{3, 4}));
  EXPECT_NEAR(lse[0], 1e8 / std::sqrt(2), 10);
}

TEST_F(CpuAttentionTest, NotANumberIsNotHidden) {
  Floats k = random(300 * 2);
  k[301] = NAN;
  const Floats q = random(2);
  Floats out(2);
  ops().attention({DType::f32, {q.data(), 2}, {k.data(), 2}, {k.data(), 2}, out.data(), nullptr, 1, 300, 1, 2});
  finish();
  EXPECT_TRUE(std::isnan(out[0]));
}

TEST_F(CpuAttentionTest, MergedPartsAreTheWhole) {
  const int rows = 9;
  const int heads = 3;
  const int head_dim = 6;
  const int kv_rows = 50;
  const int64_t dim = 18;
  const Floats q = random(rows * dim, 3);
  const Floats k = random(kv_rows * dim, 3);
  const Floats v = random(kv_rows * dim);
  for (const std::vector<int>& ends : {std::vector<int>{50}, {0, 20, 50}, {20, 20, 21, 50}, {50, 50}}) {
    Floats acc(rows * dim, NAN);
    Floats acc_lse(rows * heads, NAN);
    Floats part(rows * dim, NAN);
    Floats part_lse(rows * heads, NAN);
    Floats out(rows * dim, NAN);
    int begin = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      ops().attention({DType::f32,
                       {q.data(), dim},
                       {k.data() + begin * dim, dim},
                       {v.data() + begin * dim, dim},
                       part.data(),
                       part_lse.data(),
                       rows,
                       ends[i] - begin,
                       heads,
                       head_dim});
      ops().merge_attention({DType::f32, part.data(), part_lse.data(), acc.data(), acc_lse.data(), out.data(), i == 0,
                             i + 1 == ends.size(), rows, heads, head_dim});
      begin = ends[i];
    }
    finish();
    const Result want = reference({q.data(), dim}, {k.data(), dim}, {v.data(), dim}, rows, kv_rows, heads, head_dim);
    EXPECT_LT(distance(out, want.out), 2e-5);
    EXPECT_LT(distance(acc_lse, want.lse), 1e-4);
  }
}

TEST_F(CpuAttentionTest, MergingIsExactAtTheExtremes) {
  struct Case {
    float ours, theirs, value, lse;
  };
  for (const Case& c : {Case{none, none, 0, none},
                        {none, 2, 20, 2},
                        {2, none, 10, 2},
                        {500, -500, 10, 500},
                        {-1e30F, 1e30F, 20, 1e30F},
                        {3, 3, 15, 3 + std::log(2.0F)}}) {
    const float part = c.theirs == none ? NAN : 20;  // a value without weight must not be read
    float acc = c.ours == none ? NAN : 10;
    float acc_lse = c.ours;
    float out = NAN;
    ops().merge_attention({DType::f32, &part, &c.theirs, &acc, &acc_lse, &out, false, true, 1, 1, 1});
    finish();
    EXPECT_EQ(out, c.value) << c.ours << " " << c.theirs;
    EXPECT_EQ(acc_lse, c.lse) << c.ours << " " << c.theirs;
  }
}

}  // namespace
}  // namespace wansweep
