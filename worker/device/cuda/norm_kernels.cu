// LayerNorm with modulation, and RMSNorm: a row is read once, held in the registers of one warp, and written once.

#include "worker/device/cuda/kernels.h"
#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

namespace {

constexpr int rows_a_block = 4;  // one warp each

// bf16 rows of exactly V * 256 values. f32 gain and shift come from the cache: all rows share them.
template <int V>
__global__ __launch_bounds__(32 * rows_a_block) void layer_norm_rows(const uint4* __restrict__ x,
                                                                     const float* __restrict__ gain, float gain_offset,
                                                                     const float* __restrict__ shift,
                                                                     uint4* __restrict__ y, int64_t rows, float eps) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * rows_a_block + threadIdx.x / 32;
  if (row >= rows) return;
  const uint4* from = x + row * V * 32 + lane;
  uint4 values[V];
#pragma unroll
  for (int i = 0; i < V; ++i) values[i] = from[i * 32];

  constexpr float dim = V * 256;
  float sum = 0;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    float v[8];
    unpack(values[i], v);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum += v[j];
  }
  const float mean = warp_sum(sum) / dim;
  float squares = 0;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    float v[8];
    unpack(values[i], v);
#pragma unroll
    for (int j = 0; j < 8; ++j) squares += (v[j] - mean) * (v[j] - mean);
  }
  const float inverse = rsqrtf(warp_sum(squares) / dim + eps);

  uint4* to = y + row * V * 32 + lane;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    float v[8], g[8], s[8];
    unpack(values[i], v);
    load_eight(gain + (i * 32 + lane) * 8, g);
    load_eight(shift + (i * 32 + lane) * 8, s);
#pragma unroll
    for (int j = 0; j < 8; ++j) v[j] = (v[j] - mean) * inverse * (g[j] + gain_offset) + s[j];
    to[i * 32] = pack(v);
  }
}

template <typename T>
__global__ void layer_norm_plain(const T* x, AnyWeight gain, float gain_offset, AnyWeight shift, T* y, int64_t dim,
                                 float eps) {
  __shared__ float scratch[32];
  const T* from = x + int64_t{blockIdx.x} * dim;
  T* to = y + int64_t{blockIdx.x} * dim;
  float sum = 0;
  for (int64_t i = threadIdx.x; i < dim; i += blockDim.x) sum += to_float(from[i]);
  const float mean = block_sum(sum, scratch) / static_cast<float>(dim);
  float squares = 0;
  for (int64_t i = threadIdx.x; i < dim; i += blockDim.x) {
    const float centred = to_float(from[i]) - mean;
    squares += centred * centred;
  }
  const float inverse = rsqrtf(block_sum(squares, scratch) / static_cast<float>(dim) + eps);
  for (int64_t i = threadIdx.x; i < dim; i += blockDim.x) {
    from_float((to_float(from[i]) - mean) * inverse * (gain[i] + gain_offset) + shift[i], &to[i]);
  }
}

// bf16 rows of V * 256 values, 16-byte vectors `stride` apart; bf16 weight.
template <int V>
__global__ __launch_bounds__(32 * rows_a_block) void rms_norm_rows(const uint4* __restrict__ x, int64_t stride,
                                                                   const uint4* __restrict__ weight,
                                                                   uint4* __restrict__ y, int64_t rows, float eps) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * rows_a_block + threadIdx.x / 32;
  if (row >= rows) return;
  const uint4* from = x + row * stride + lane;
  uint4 values[V];
#pragma unroll
  for (int i = 0; i < V; ++i) values[i] = from[i * 32];
  float squares = 0;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    float v[8];
    unpack(values[i], v);
#pragma unroll
    for (int j = 0; j < 8; ++j) squares += v[j] * v[j];
  }
  const float inverse = rsqrtf(warp_sum(squares) / (V * 256) + eps);
  uint4* to = y + row * V * 32 + lane;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    float v[8], w[8];
    unpack(values[i], v);
    unpack(__ldg(weight + i * 32 + lane), w);
#pragma unroll
    for (int j = 0; j < 8; ++j) v[j] = v[j] * inverse * w[j];
    to[i * 32] = pack(v);
  }
}

template <typename T>
__global__ void rms_norm_plain(const T* x, int64_t stride, AnyWeight weight, T* y, int64_t dim, float eps) {
  __shared__ float scratch[32];
  const T* from = x + int64_t{blockIdx.x} * stride;
  T* to = y + int64_t{blockIdx.x} * dim;
  float squares = 0;
  for (int64_t i = threadIdx.x; i < dim; i += blockDim.x) {
    const float value = to_float(from[i]);
    squares += value * value;
  }
  const float inverse = rsqrtf(block_sum(squares, scratch) / static_cast<float>(dim) + eps);
  for (int64_t i = threadIdx.x; i < dim; i += blockDim.x) from_float(to_float(from[i]) * inverse * weight[i], &to[i]);
}

// Widths with a fast path: Wan2.1 1.3B, Wan2.2 5B, A14B.
template <typename Launch>
bool launch_by_width(int64_t dim, Launch launch) {
  switch (dim) {
    case 1536:
      return launch(std::integral_constant<int, 6>());
    case 3072:
      return launch(std::integral_constant<int, 12>());
    case 5120:
      return launch(std::integral_constant<int, 20>());
    default:
      return false;
  }
}

}  // namespace

void layer_norm(cudaStream_t stream, DType type, const void* x, Weight gain, float gain_offset, Weight shift, void* y,
                int64_t rows, int64_t dim, float eps) {
  if (rows == 0) return;
  const bool fast = type == DType::bf16 && gain.type == DType::f32 && shift.type == DType::f32 && aligned16(x) &&
                    aligned16(y) && aligned16(gain.data) && aligned16(shift.data) &&
                    launch_by_width(dim, [&](auto vectors) {
                      layer_norm_rows<vectors.value><<<blocks_for(rows, rows_a_block), 32 * rows_a_block, 0, stream>>>(
                          static_cast<const uint4*>(x), static_cast<const float*>(gain.data), gain_offset,
                          static_cast<const float*>(shift.data), static_cast<uint4*>(y), rows, eps);
                      return true;
                    });
  if (!fast) {
    const AnyWeight gains{gain.data, gain.type}, shifts{shift.data, shift.type};
    const auto blocks = static_cast<unsigned>(rows);
    if (type == DType::f32) {
      layer_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const float*>(x), gains, gain_offset, shifts,
                                                             static_cast<float*>(y), dim, eps);
    } else {
      layer_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const bf16*>(x), gains, gain_offset, shifts,
                                                             static_cast<bf16*>(y), dim, eps);
    }
  }
  checkLaunch();
}

void rms_norm(cudaStream_t stream, DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows,
              int64_t dim, float eps) {
  if (rows == 0) return;
  const bool fast = type == DType::bf16 && weight.type == DType::bf16 && stride % 8 == 0 && aligned16(x) &&
                    aligned16(y) && aligned16(weight.data) && launch_by_width(dim, [&](auto vectors) {
                      rms_norm_rows<vectors.value><<<blocks_for(rows, rows_a_block), 32 * rows_a_block, 0, stream>>>(
                          static_cast<const uint4*>(x), stride / 8, static_cast<const uint4*>(weight.data),
                          static_cast<uint4*>(y), rows, eps);
                      return true;
                    });
  if (!fast) {
    const AnyWeight weights{weight.data, weight.type};
    const auto blocks = static_cast<unsigned>(rows);
    if (type == DType::f32) {
      rms_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const float*>(x), stride, weights,
                                                           static_cast<float*>(y), dim, eps);
    } else {
      rms_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const bf16*>(x), stride, weights,
                                                           static_cast<bf16*>(y), dim, eps);
    }
  }
  checkLaunch();
}

}  // namespace wansweep::cuda
