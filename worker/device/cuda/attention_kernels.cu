// The parts of attention that no library does: merging the parts of a ring, and attention in full f32 for checking.

#include "worker/device/cuda/kernels.h"
#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

namespace {

constexpr int warps_a_block = 4;

template <typename T>
__device__ inline void load_values(const T* from, float (&out)[4]);
template <>
__device__ inline void load_values(const float* from, float (&out)[4]) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  out[0] = v.x, out[1] = v.y, out[2] = v.z, out[3] = v.w;
}
template <>
__device__ inline void load_values(const bf16* from, float (&out)[4]) {
  const uint2 v = *reinterpret_cast<const uint2*>(from);
  out[0] = low(v.x), out[1] = high(v.x), out[2] = low(v.y), out[3] = high(v.y);
}
__device__ inline void store_values(float* to, const float (&in)[4]) {
  *reinterpret_cast<float4*>(to) = make_float4(in[0], in[1], in[2], in[3]);
}
__device__ inline void store_values(bf16* to, const float (&in)[4]) {
  *reinterpret_cast<uint2*>(to) = make_uint2(pack(in[0], in[1]), pack(in[2], in[3]));
}

// One warp for each row and head, four values for each lane and iteration.
//   ours = weight of the sum so far, theirs = weight of the part. A side whose logarithm is -inf saw no keys, and its
//   values are not read.
template <typename T>
__global__ __launch_bounds__(32 * warps_a_block) void merge_attention_rows(
    const T* __restrict__ part, const float* __restrict__ part_lse, float* __restrict__ acc,
    float* __restrict__ acc_lse, T* __restrict__ out, bool first, bool last, int64_t rows, int heads, int head_dim) {
  const int lane = threadIdx.x % 32;
  const int64_t index = int64_t{blockIdx.x} * warps_a_block + threadIdx.x / 32;
  if (index >= rows * heads) return;
  const int64_t row = index / heads;
  const int64_t lse_at = index % heads * rows + row;
  const float part_log = part_lse[lse_at];
  const float own_log = first ? -INFINITY : acc_lse[lse_at];
  const bool take = part_log != -INFINITY;
  const bool keep = own_log != -INFINITY;
  float theirs = take ? 1 : 0;
  float ours = keep ? 1 : 0;
  float log = take ? part_log : own_log;
  if (take && keep) {
    const float difference = part_log - own_log;
    theirs = 1 / (1 + expf(-difference));
    ours = 1 / (1 + expf(difference));
    log = fmaxf(part_log, own_log) + log1pf(expf(-fabsf(difference)));
  }
  __syncwarp();  // every lane has read the old logarithm
  if (lane == 0) acc_lse[lse_at] = log;

  const int64_t base = index * head_dim;
  for (int i = lane * 4; i < head_dim; i += 128) {
    float sum[4] = {}, a[4] = {}, b[4] = {};
    if (keep) load_values(acc + base + i, a);
    if (take) load_values(part + base + i, b);
#pragma unroll
    for (int j = 0; j < 4; ++j) sum[j] = ours * a[j] + theirs * b[j];
    store_values(acc + base + i, sum);
    if (last) store_values(out + base + i, sum);
  }
}

constexpr int most_dims_a_lane = most_plain_head_dim / 32;

// One warp computes one query of one head, 32 keys an iteration. For the scores each lane takes one key; for the
// weighted sum of the values each lane takes every 32nd column.
__global__ __launch_bounds__(32 * warps_a_block) void plain_attention_rows(
    const float* __restrict__ q, int64_t q_stride, const float* __restrict__ k, int64_t k_stride,
    const float* __restrict__ v, int64_t v_stride, float* __restrict__ out, float* __restrict__ lse, int64_t q_rows,
    int64_t kv_rows, int heads, int head_dim) {
  extern __shared__ float queries[];
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int64_t index = int64_t{blockIdx.x} * warps_a_block + warp;
  if (index >= q_rows * heads) return;
  const int64_t row = index / heads;
  const int head = static_cast<int>(index % heads);
  float* query = queries + warp * head_dim;
  for (int i = lane; i < head_dim; i += 32) query[i] = q[row * q_stride + head * head_dim + i];
  __syncwarp();

  const float scale = rsqrtf(static_cast<float>(head_dim));
  float most = -INFINITY, weight = 0, sum[most_dims_a_lane] = {};
  for (int64_t first = 0; first < kv_rows; first += 32) {
    float score = -INFINITY;
    if (first + lane < kv_rows) {
      const float* key = k + (first + lane) * k_stride + head * head_dim;
      float product = 0;
      for (int i = 0; i < head_dim; ++i) product += query[i] * key[i];
      score = product * scale;
    }
    const float next = fmaxf(most, warp_max(score));
    const float shrink = expf(most - next);
    const float share = expf(score - next);
    weight = weight * shrink + warp_sum(share);
    most = next;
#pragma unroll
    for (int d = 0; d < most_dims_a_lane; ++d) sum[d] *= shrink;
    const int keys = static_cast<int>(min(int64_t{32}, kv_rows - first));
    for (int j = 0; j < keys; ++j) {
      const float p = __shfl_sync(0xFFFFFFFFU, share, j);
      const float* value = v + (first + j) * v_stride + head * head_dim;
#pragma unroll
      for (int d = 0; d < most_dims_a_lane; ++d) {
        if (d * 32 + lane < head_dim) sum[d] += p * value[d * 32 + lane];
      }
    }
  }
#pragma unroll
  for (int d = 0; d < most_dims_a_lane; ++d) {
    if (d * 32 + lane < head_dim) out[index * head_dim + d * 32 + lane] = sum[d] / weight;
  }
  if (lse != nullptr && lane == 0) lse[head * q_rows + row] = most + logf(weight);
}

}  // namespace

void merge_attention(cudaStream_t stream, const MergeAttentionArguments& a) {
  if (a.rows == 0 || a.heads == 0) return;
  const unsigned blocks = blocks_for(a.rows * a.heads, warps_a_block);
  if (a.type == DType::f32) {
    merge_attention_rows<<<blocks, 32 * warps_a_block, 0, stream>>>(static_cast<const float*>(a.part), a.part_lse,
                                                                    a.acc, a.acc_lse, static_cast<float*>(a.out),
                                                                    a.first, a.last, a.rows, a.heads, a.head_dim);
  } else {
    merge_attention_rows<<<blocks, 32 * warps_a_block, 0, stream>>>(static_cast<const bf16*>(a.part), a.part_lse, a.acc,
                                                                    a.acc_lse, static_cast<bf16*>(a.out), a.first,
                                                                    a.last, a.rows, a.heads, a.head_dim);
  }
  checkLaunch();
}

void plain_attention(cudaStream_t stream, const AttentionArguments& a) {
  const size_t shared = sizeof(float) * warps_a_block * static_cast<size_t>(a.head_dim);
  plain_attention_rows<<<blocks_for(a.q_rows * a.heads, warps_a_block), 32 * warps_a_block, shared, stream>>>(
      static_cast<const float*>(a.q.data), a.q.stride, static_cast<const float*>(a.k.data), a.k.stride,
      static_cast<const float*>(a.v.data), a.v.stride, static_cast<float*>(a.out), a.lse, a.q_rows, a.kv_rows, a.heads,
      a.head_dim);
  checkLaunch();
}

}  // namespace wansweep::cuda
