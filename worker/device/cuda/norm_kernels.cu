// LayerNorm with modulation, also of a sum that it makes, and RMSNorm: one block reads a row once, holds it in
// registers, and writes it once.

#include "worker/device/cuda/kernels.h"
#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/row_stream.cuh"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

namespace {

constexpr int stages = 4;
constexpr int resident_threads = 960;  // at least so many on a multiprocessor: 68 registers for each thread
constexpr int adding_threads = 640;    // the same for sums: 102 registers

// The mean of a set of values, and the sum of their squared distances from it.
struct Moments {
  float mean, squares;
};

// Merges two sets of `count` values each (Chan's formula).
__device__ inline Moments merge(const Moments& a, const Moments& b, float count) {
  const float apart = b.mean - a.mean;
  return {0.5F * (a.mean + b.mean), a.squares + b.squares + apart * apart * (0.5F * count)};
}

// The mean and squares of a row, for all threads, each with 16 values. `partial` has one entry for each warp, and may
// be reused after the next barrier.
template <int warps>
__device__ inline Moments row_moments(const float (&values)[16], Moments (&partial)[warps]) {
  Moments m{0, 0};
#pragma unroll
  for (int i = 0; i < 16; ++i) m.mean += values[i];
  m.mean /= 16;
#pragma unroll
  for (int i = 0; i < 16; ++i) m.squares += (values[i] - m.mean) * (values[i] - m.mean);
#pragma unroll
  for (int mask = 1; mask < 32; mask *= 2) {
    const Moments other{__shfl_xor_sync(0xFFFFFFFFU, m.mean, mask), __shfl_xor_sync(0xFFFFFFFFU, m.squares, mask)};
    m = merge(m, other, 16.0F * mask);
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = m;
  __syncthreads();
  Moments row = partial[0];
#pragma unroll
  for (int i = 1; i < warps; ++i) {  // merges i sets of 512 values with the next
    const float apart = partial[i].mean - row.mean;
    row.mean += apart * (1.0F / (i + 1));
    row.squares += partial[i].squares + apart * apart * (512.0F * i / (i + 1));
  }
  return row;
}

// The gain and shift of a thread's 16 columns, for all rows that it normalises.
template <int threads>
class Affine {
 public:
  __device__ Affine(const float* gain, float gain_offset, const float* shift) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int column = (i * threads + threadIdx.x) * 8;
      load_eight(gain + column, gains_[i]);
      load_eight(shift + column, shifts_[i]);
#pragma unroll
      for (int j = 0; j < 8; ++j) gains_[i][j] += gain_offset;
    }
  }

  // `to` is the first of the thread's two vectors in the row.
  __device__ void write(const float (&values)[16], float mean, float inverse, uint4* to) const {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float out[8];
#pragma unroll
      for (int j = 0; j < 8; ++j) out[j] = (values[i * 8 + j] - mean) * inverse * gains_[i][j] + shifts_[i][j];
      to[i * threads] = pack(out);
    }
  }

 private:
  float gains_[2][8], shifts_[2][8];
};

// bf16 rows of exactly `dim` values; f32 gain and shift.
template <int dim>
__global__ __launch_bounds__(row_threads(dim), resident_threads / row_threads(dim)) void layer_norm_rows(
    const uint4* __restrict__ x, const float* __restrict__ gain, float gain_offset, const float* __restrict__ shift,
    uint4* __restrict__ y, int64_t rows, float eps) {
  constexpr int threads = row_threads(dim);
  using Stream = RowStream<2, threads, stages>;
  __shared__ typename Stream::Room room;
  __shared__ Moments partial[2][threads / 32];
  Stream stream(room, x, 2 * threads, rows);
  const Affine<threads> affine(gain, gain_offset, shift);
  for (int turn = 0; stream.row < rows; stream.advance(), turn ^= 1) {
    uint4 in[2];
    stream.take(in);
    float values[16];
    unpack(in[0], &values[0]);
    unpack(in[1], &values[8]);
    const Moments moments = row_moments(values, partial[turn]);
    affine.write(values, moments.mean, rsqrtf(moments.squares / dim + eps), y + stream.row * 2 * threads + threadIdx.x);
  }
}

// x += addend * gate in bf16, then y = LayerNorm of the rounded sum. The addend, which does not pass through shared
// memory, is read one row ahead as well.
template <int dim, bool gated>
__global__ __launch_bounds__(row_threads(dim), adding_threads / row_threads(dim)) void add_and_norm_rows(
    uint4* x, const uint4* __restrict__ addend, const float* __restrict__ gate, const float* __restrict__ gain,
    float gain_offset, const float* __restrict__ shift, uint4* __restrict__ y, int64_t rows, float eps) {
  constexpr int threads = row_threads(dim);
  using Stream = RowStream<2, threads, stages>;
  __shared__ typename Stream::Room room;
  __shared__ Moments partial[2][threads / 32];
  Stream stream(room, x, 2 * threads, rows);
  const Affine<threads> affine(gain, gain_offset, shift);
  float gates[2][8];
  if constexpr (gated) {
#pragma unroll
    for (int i = 0; i < 2; ++i) load_eight(gate + (i * threads + threadIdx.x) * 8, gates[i]);
  }
  uint4 ahead[2];
  const auto fetch = [&](int64_t row) {
    if (row >= rows) return;
#pragma unroll
    for (int i = 0; i < 2; ++i) ahead[i] = addend[(row * 2 + i) * threads + threadIdx.x];
  };
  fetch(stream.row);
  for (int turn = 0; stream.row < rows; stream.advance(), turn ^= 1) {
    uint4 in[2];
    stream.take(in);
    const uint4 added[2] = {ahead[0], ahead[1]};
    fetch(stream.row + gridDim.x);
    const int64_t at = stream.row * 2 * threads + threadIdx.x;
    float values[16];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float sum[8], more[8];
      unpack(in[i], sum);
      unpack(added[i], more);
#pragma unroll
      for (int j = 0; j < 8; ++j) sum[j] += gated ? more[j] * gates[i][j] : more[j];
      const uint4 rounded = pack(sum);
      x[at + i * threads] = rounded;
      unpack(rounded, &values[i * 8]);
    }
    const Moments moments = row_moments(values, partial[turn]);
    affine.write(values, moments.mean, rsqrtf(moments.squares / dim + eps), y + at);
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

// bf16 rows of exactly `dim` values, 16-byte vectors `stride` apart; bf16 weight.
template <int dim>
__global__ __launch_bounds__(row_threads(dim), resident_threads / row_threads(dim)) void rms_norm_rows(
    const uint4* __restrict__ x, int64_t stride, const uint4* __restrict__ weight, uint4* __restrict__ y, int64_t rows,
    float eps) {
  constexpr int threads = row_threads(dim);
  using Stream = RowStream<2, threads, stages>;
  __shared__ typename Stream::Room room;
  __shared__ float partial[2][threads / 32];
  Stream stream(room, x, stride, rows);
  const uint4 weights[2] = {weight[threadIdx.x], weight[threadIdx.x + threads]};
  for (int turn = 0; stream.row < rows; stream.advance(), turn ^= 1) {
    uint4 values[2];
    stream.take(values);
    const float inverse = rsqrtf(row_sum(squares_of(values[0]) + squares_of(values[1]), partial[turn]) / dim + eps);
    uint4* to = y + stream.row * 2 * threads + threadIdx.x;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float v[8], w[8];
      unpack(values[i], v);
      unpack(weights[i], w);
#pragma unroll
      for (int j = 0; j < 8; ++j) v[j] = v[j] * inverse * w[j];
      to[i * threads] = pack(v);
    }
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

// Widths that have a fast path: those of Wan2.1 1.3B, Wan2.2 5B and A14B.
template <typename Launch>
bool launch_by_width(int64_t dim, Launch launch) {
  switch (dim) {
    case 1536:
      return launch(std::integral_constant<int, 1536>());
    case 3072:
      return launch(std::integral_constant<int, 3072>());
    case 5120:
      return launch(std::integral_constant<int, 5120>());
    default:
      return false;
  }
}

// Whether the operands allow a kernel of rows; the width may still have none.
bool by_rows(const LayerNormArguments& a) {
  return a.type == DType::bf16 && a.gain.type == DType::f32 && a.shift.type == DType::f32 && aligned16(a.x) &&
         aligned16(a.y) && aligned16(a.gain.data) && aligned16(a.shift.data);
}

}  // namespace

bool add_gated_and_norm(cudaStream_t stream, void* x, const void* y, const float* gate, const LayerNormArguments& a) {
  if (a.rows == 0) return true;
  const bool launched =
      by_rows(a) && aligned16(y) && aligned16(gate) && launch_by_width(a.dim, [&](auto width) {
        constexpr int threads = row_threads(width);
        const auto launch = [&](auto gated) {
          const auto kernel = add_and_norm_rows<width, gated>;
          static const int64_t resident = resident_blocks(kernel, threads);
          kernel<<<row_blocks(resident, a.rows), threads, 0, stream>>>(
              static_cast<uint4*>(x), static_cast<const uint4*>(y), gate, static_cast<const float*>(a.gain.data),
              a.gain_offset, static_cast<const float*>(a.shift.data), static_cast<uint4*>(a.y), a.rows, a.eps);
        };
        gate != nullptr ? launch(std::true_type()) : launch(std::false_type());
        return true;
      });
  checkLaunch();
  return launched;
}

void layer_norm(cudaStream_t stream, const LayerNormArguments& a) {
  if (a.rows == 0) return;
  const bool fast = by_rows(a) && launch_by_width(a.dim, [&](auto width) {
                      constexpr int threads = row_threads(width);
                      static const int64_t resident = resident_blocks(layer_norm_rows<width>, threads);
                      layer_norm_rows<width><<<row_blocks(resident, a.rows), threads, 0, stream>>>(
                          static_cast<const uint4*>(a.x), static_cast<const float*>(a.gain.data), a.gain_offset,
                          static_cast<const float*>(a.shift.data), static_cast<uint4*>(a.y), a.rows, a.eps);
                      return true;
                    });
  if (!fast) {
    const AnyWeight gains{a.gain.data, a.gain.type}, shifts{a.shift.data, a.shift.type};
    const auto blocks = static_cast<unsigned>(a.rows);
    if (a.type == DType::f32) {
      layer_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const float*>(a.x), gains, a.gain_offset,
                                                             shifts, static_cast<float*>(a.y), a.dim, a.eps);
    } else {
      layer_norm_plain<<<blocks, block_threads, 0, stream>>>(static_cast<const bf16*>(a.x), gains, a.gain_offset,
                                                             shifts, static_cast<bf16*>(a.y), a.dim, a.eps);
    }
  }
  checkLaunch();
}

void rms_norm(cudaStream_t stream, DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows,
              int64_t dim, float eps) {
  if (rows == 0) return;
  const bool fast = type == DType::bf16 && weight.type == DType::bf16 && stride % 8 == 0 && aligned16(x) &&
                    aligned16(y) && aligned16(weight.data) && launch_by_width(dim, [&](auto width) {
                      constexpr int threads = row_threads(width);
                      static const int64_t resident = resident_blocks(rms_norm_rows<width>, threads);
                      rms_norm_rows<width><<<row_blocks(resident, rows), threads, 0, stream>>>(
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
