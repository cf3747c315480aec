// For each head and each tile of queries, the keys are processed tile by tile: a matrix product gives the scores, a
// running maximum and a sum of weights are kept, and a second product adds the values. When the maximum rises, the sums
// so far are scaled down. So the memory is one tile of scores (64 KiB, which stays in cache) for any number of tokens.
// Tiles and lanes are fixed, and so is the order of each sum: the same input gives the same bits in every run. The
// tiles' weights are summed in double, since a row may have hundreds of tiles. Parts of a ring are merged by their
// log-sum-exps; -inf stands for a part without keys, and must not become NaN.

#include "worker/device/cpu/cpu_attention.h"

#include <cblas.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "worker/device/cpu/lanes.h"

namespace wansweep {
namespace {

constexpr int64_t q_tile = 64;
constexpr int64_t kv_tile = 256;
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

// exp(x) for x <= 0, within 2 ulp, without calls or branches, so that the compiler vectorises loops of it: with small
// heads, attention spends most of its time in exp. NaN stays NaN; results below the smallest normal number are 0.
inline float exp_nonpositive(float x) {
  constexpr float lowest = -87.33654F;
  constexpr float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, which is then in the low bits
  const float clamped = x < lowest ? lowest : x;
  const float shifted = clamped * 1.44269504F + magic;
  const float n = shifted - magic;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const float power = std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) - 0x4B400000U + 127U) << 23);
  return x < lowest ? 0.0F : p * power;
}

float row_max(const float* x, int64_t n) {
  float most[lanes];
  std::fill(most, most + lanes, minus_infinity);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
  }
  for (; i < n; ++i) most[0] = std::max(most[0], x[i]);
  return *std::max_element(most, most + lanes);
}

// x = exp(x - most); returns the sum.
float exponentials(float* x, int64_t n, float most) {
  float sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      x[i + lane] = exp_nonpositive(x[i + lane] - most);
      sums[lane] += x[i + lane];
    }
  }
  for (; i < n; ++i) {
    x[i] = exp_nonpositive(x[i] - most);
    sums[0] += x[i];
  }
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

}  // namespace

void cpu_attention(FloatRows q, FloatRows k, FloatRows v, float* out, float* lse, int64_t q_rows, int64_t kv_rows,
                   int heads, int head_dim) {
  const int64_t stride = int64_t{heads} * head_dim;
  if (kv_rows == 0) {
    std::fill_n(out, q_rows * stride, 0.0F);
    if (lse != nullptr) std::fill_n(lse, q_rows * heads, minus_infinity);
    return;
  }
  const float scale = 1 / std::sqrt(static_cast<float>(head_dim));
  std::vector<float> scores(q_tile * kv_tile);
  std::vector<float> sum(q_tile * head_dim);  // the weighted sum of values so far, relative to exp(most)
  float most[q_tile];
  double weight[q_tile];
  const auto blas = [](int64_t size) { return static_cast<int>(size); };
  for (int head = 0; head < heads; ++head) {
    const float* head_q = q.data + int64_t{head} * head_dim;
    const float* head_k = k.data + int64_t{head} * head_dim;
    const float* head_v = v.data + int64_t{head} * head_dim;
    for (int64_t q_first = 0; q_first < q_rows; q_first += q_tile) {
      const int64_t rows = std::min(q_tile, q_rows - q_first);
      std::fill_n(most, rows, minus_infinity);
      std::fill_n(weight, rows, 0.0);
      std::fill(sum.begin(), sum.end(), 0.0F);
      for (int64_t kv_first = 0; kv_first < kv_rows; kv_first += kv_tile) {
        const int64_t columns = std::min(kv_tile, kv_rows - kv_first);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, blas(rows), blas(columns), head_dim, scale,
                    head_q + q_first * q.stride, blas(q.stride), head_k + kv_first * k.stride, blas(k.stride), 0.0F,
                    scores.data(), blas(kv_tile));
        for (int64_t row = 0; row < rows; ++row) {
          float* row_scores = scores.data() + row * kv_tile;
          const float next = std::max(most[row], row_max(row_scores, columns));
          if (next > most[row]) {  // what was summed so far was relative to the smaller maximum
            const float shrink = exp_nonpositive(most[row] - next);
            weight[row] *= shrink;
            float* row_sum = sum.data() + row * head_dim;
            for (int i = 0; i < head_dim; ++i) row_sum[i] *= shrink;
            most[row] = next;
          }
          weight[row] += exponentials(row_scores, columns, most[row]);
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, blas(rows), head_dim, blas(columns), 1.0F, scores.data(),
                    blas(kv_tile), head_v + kv_first * v.stride, blas(v.stride), 1.0F, sum.data(), head_dim);
      }
      for (int64_t row = 0; row < rows; ++row) {
        const float inverse = static_cast<float>(1 / weight[row]);
        float* row_out = out + (q_first + row) * stride + int64_t{head} * head_dim;
        for (int i = 0; i < head_dim; ++i) row_out[i] = sum[static_cast<size_t>(row * head_dim + i)] * inverse;
        if (lse != nullptr) lse[head * q_rows + q_first + row] = static_cast<float>(most[row] + std::log(weight[row]));
      }
    }
  }
}

void cpu_merge_attention(const float* part, const float* part_lse, float* acc, float* acc_lse, float* out, bool first,
                         bool last, int64_t rows, int heads, int head_dim) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int head = 0; head < heads; ++head) {
      const int64_t at = (row * heads + head) * head_dim;
      const float theirs = part_lse[head * rows + row];
      float& ours = acc_lse[head * rows + row];
      // A side with a logarithm of -inf saw no keys: its weight is 0, also when its values are NaN.
      const bool take = theirs != minus_infinity;
      const bool keep = !first && ours != minus_infinity;
      if (take && keep) {
        const double difference = double{theirs} - ours;
        const auto their_weight = static_cast<float>(1 / (1 + std::exp(-difference)));
        const auto our_weight = static_cast<float>(1 / (1 + std::exp(difference)));
        for (int i = 0; i < head_dim; ++i) acc[at + i] = our_weight * acc[at + i] + their_weight * part[at + i];
        ours = static_cast<float>(std::max(double{theirs}, double{ours}) + std::log1p(std::exp(-std::abs(difference))));
      } else if (take) {
        std::copy_n(part + at, head_dim, acc + at);
        ours = theirs;
      } else if (!keep) {
        std::fill_n(acc + at, head_dim, 0.0F);
        ours = minus_infinity;
      }
      if (last) std::copy_n(acc + at, head_dim, out + at);
    }
  }
}

}  // namespace wansweep
