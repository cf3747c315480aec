// Reads and writes values in kernels, 16 bytes at a time if possible. All arithmetic is in f32.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "worker/device/ops.h"

namespace wansweep::cuda {

using bf16 = __nv_bfloat16;

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(bf16 value) { return __bfloat162float(value); }
__device__ inline float to_float(__half value) { return __half2float(value); }
__device__ inline void from_float(float value, float* to) { *to = value; }
__device__ inline void from_float(float value, bf16* to) { *to = __float2bfloat16_rn(value); }
__device__ inline void from_float(float value, __half* to) { *to = __float2half_rn(value); }

// A value of a weight vector, which may have another type than the activations.
struct AnyWeight {
  const void* data;
  DType type;
  __device__ float operator[](int64_t i) const {
    return type == DType::f32 ? static_cast<const float*>(data)[i] : to_float(static_cast<const bf16*>(data)[i]);
  }
};

__device__ inline float low(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ inline float high(uint32_t pair) { return __uint_as_float(pair & 0xFFFF0000U); }

__device__ inline void unpack(const uint4& v, float* out) {  // eight
  const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out[2 * i] = low(words[i]);
    out[2 * i + 1] = high(words[i]);
  }
}

__device__ inline float squares_of(const uint4& v) {
  float values[8], sum = 0;
  unpack(v, values);
#pragma unroll
  for (int i = 0; i < 8; ++i) sum += values[i] * values[i];
  return sum;
}

__device__ inline uint32_t pack(float a, float b) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ inline uint4 pack(const float (&in)[8]) {
  return make_uint4(pack(in[0], in[1]), pack(in[2], in[3]), pack(in[4], in[5]), pack(in[6], in[7]));
}

__device__ inline void load_eight(const float* from, float (&out)[8]) {
  const float4 a = __ldg(reinterpret_cast<const float4*>(from));
  const float4 b = __ldg(reinterpret_cast<const float4*>(from) + 1);
  out[0] = a.x, out[1] = a.y, out[2] = a.z, out[3] = a.w;
  out[4] = b.x, out[5] = b.y, out[6] = b.z, out[7] = b.w;
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value += __shfl_xor_sync(0xFFFFFFFFU, value, mask);
  return value;
}

__device__ inline float warp_max(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, mask));
  return value;
}

// The sum over a block's threads, for all threads. `scratch` has one value for each warp, and may be reused after the
// next barrier.
__device__ inline float block_sum(float value, float* scratch) {
  value = warp_sum(value);
  __syncthreads();  // waits for the readers of the last sum
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += scratch[warp];
  return sum;
}

inline bool aligned16(const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

}  // namespace wansweep::cuda
