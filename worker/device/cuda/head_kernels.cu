// q, k and v on their way to attention and back: RMSNorm over all heads, rotary embedding, and the layout by Ulysses
// parts.

#include "worker/device/cuda/kernels.h"
#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/row_stream.cuh"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

namespace {

constexpr int resident_threads = 640;  // at least so many on a multiprocessor: 102 registers for each thread

// Selects q, k or v. Separate pointers keep the selection in registers.
template <typename T>
struct Three {
  T* q;
  T* k;
  T* v;
  __device__ T* operator[](int which) const { return which == 0 ? q : which == 1 ? k : v; }
};

struct Norms {
  AnyWeight q, k;
};

// The place of value `column` of `row` in the layout by parts, where part p holds all rows of its columns. The search
// starts at `part`.
__device__ inline int64_t parted_index(const PartTable& parts, int64_t rows, int64_t row, int column, int* part) {
  while (column >= parts.begin[*part + 1]) ++*part;
  const int begin = parts.begin[*part];
  return begin * rows + row * (parts.begin[*part + 1] - begin) + (column - begin);
}

// Two sums over the block's threads with one barrier. `partial` may be reused after the next barrier.
template <int warps>
__device__ inline float2 row_sums(float2 value, float (&partial)[2][warps]) {
  if (const float y = warp_sum(value.y); threadIdx.x % 32 == 0) partial[1][threadIdx.x / 32] = y;
  value.x = row_sum(value.x, partial[0]);
  value.y = 0;
#pragma unroll
  for (int i = 0; i < warps; ++i) value.y += partial[1][i];
  return value;
}

// Normalises eight values, then rotates each pair of neighbours by its cosine and sine.
__device__ inline uint4 norm_and_turn(const uint4& in, float inverse, const uint4& weight, const float (&turn)[8]) {
  float v[8], w[8];
  unpack(in, v);
  unpack(weight, w);
#pragma unroll
  for (int j = 0; j < 8; j += 2) {
    const float x0 = v[j] * inverse * w[j];
    const float x1 = v[j + 1] * inverse * w[j + 1];
    v[j] = x0 * turn[j] - x1 * turn[j + 1];
    v[j + 1] = x0 * turn[j + 1] + x1 * turn[j];
  }
  return pack(v);
}

// bf16 rows of 3 * dim values, with a head size that divides half a row: a thread's two vectors of a tensor then have
// the same position in their heads, so the thread needs only eight of the row's cosines and sines.
template <int dim, bool in_place>
__global__ __launch_bounds__(row_threads(dim), resident_threads / row_threads(dim)) void split_qkv_rows(
    uint4* qkv, const uint4* __restrict__ norm_q, const uint4* __restrict__ norm_k, const float* __restrict__ cos_sin,
    Three<bf16> out, const __grid_constant__ PartTable parts, int64_t rows, int head_dim, float eps) {
  constexpr int threads = row_threads(dim);
  constexpr int vectors = 6 * threads;  // in a row
  using Stream = RowStream<4, threads, 2>;
  __shared__ typename Stream::Room room;
  __shared__ float partial[2][2][threads / 32];
  const int t = threadIdx.x;
  Stream stream(room, qkv, vectors, rows);
  const uint4 weights[4] = {norm_q[t], norm_q[t + threads], norm_k[t], norm_k[t + threads]};

  int64_t to[2] = {};  // place of row 0
  int width[2] = {};   // distance between rows
  if constexpr (!in_place) {
    int part = 0;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      to[i] = parted_index(parts, rows, 0, (t + i * threads) * 8, &part);
      width[i] = parts.begin[part + 1] - parts.begin[part];
    }
  }

  // Values that do not pass through shared memory are read one row ahead as well.
  float turn[8];
  uint4 v[2];
  const auto fetch = [&](int64_t row) {
    if (row >= rows) return;
    load_eight(cos_sin + row * head_dim + t * 8 % head_dim, turn);
    if constexpr (!in_place) {
      v[0] = qkv[row * vectors + 4 * threads + t];
      v[1] = qkv[row * vectors + 5 * threads + t];
    }
  };
  fetch(stream.row);
  for (int side = 0; stream.row < rows; stream.advance(), side ^= 1) {
    uint4 values[4];
    stream.take(values);
    const float2 squares = row_sums(
        {squares_of(values[0]) + squares_of(values[1]), squares_of(values[2]) + squares_of(values[3])}, partial[side]);
    const float inverse_q = rsqrtf(squares.x / dim + eps), inverse_k = rsqrtf(squares.y / dim + eps);
#pragma unroll
    for (int i = 0; i < 4; ++i) values[i] = norm_and_turn(values[i], i < 2 ? inverse_q : inverse_k, weights[i], turn);
    if constexpr (in_place) {
#pragma unroll
      for (int i = 0; i < 4; ++i) qkv[stream.row * vectors + i * threads + t] = values[i];
    } else {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int64_t at = to[i] + stream.row * width[i];
        *reinterpret_cast<uint4*>(out.q + at) = values[i];
        *reinterpret_cast<uint4*>(out.k + at) = values[2 + i];
        *reinterpret_cast<uint4*>(out.v + at) = v[i];
      }
    }
    fetch(stream.row + gridDim.x);
  }
}

template <typename T>
__global__ void split_qkv_plain(T* qkv, Norms norms, const float* cos_sin, Three<T> out, bool in_place,
                                const __grid_constant__ PartTable parts, int64_t rows, int dim, int head_dim,
                                float eps) {
  __shared__ float scratch[32];
  const int64_t row = blockIdx.x;
  const int which = static_cast<int>(blockIdx.y);
  T* from = qkv + (row * 3 + which) * dim;
  float inverse = 1;
  if (which < 2) {
    float squares = 0;
    for (int i = threadIdx.x; i < dim; i += blockDim.x) squares += to_float(from[i]) * to_float(from[i]);
    inverse = rsqrtf(block_sum(squares, scratch) / static_cast<float>(dim) + eps);
  }
  const AnyWeight weight = which == 0 ? norms.q : norms.k;
  int part = 0;
  for (int pair = threadIdx.x; pair < dim / 2; pair += blockDim.x) {
    const int column = 2 * pair;
    T result[2] = {from[column], from[column + 1]};
    if (which < 2) {
      const float* turn = cos_sin + row * head_dim + column % head_dim;
      const float x0 = to_float(result[0]) * inverse * weight[column];
      const float x1 = to_float(result[1]) * inverse * weight[column + 1];
      from_float(x0 * turn[0] - x1 * turn[1], &result[0]);
      from_float(x0 * turn[1] + x1 * turn[0], &result[1]);
    }
    T* to = in_place ? from + column : out[which] + parted_index(parts, rows, row, column, &part);
    to[0] = result[0];
    to[1] = result[1];
  }
}

// V is the unit of a copy: 16 bytes, or one value.
template <typename V>
__global__ void merge_heads_units(const V* __restrict__ parted, const __grid_constant__ PartTable parts,
                                  V* __restrict__ y, int64_t rows, int units) {
  const int64_t row = blockIdx.x;
  int part = 0;
  for (int column = threadIdx.x; column < units; column += blockDim.x) {
    y[row * units + column] = parted[parted_index(parts, rows, row, column, &part)];
  }
}

PartTable in_units(PartTable parts, int values_a_unit) {
  for (int i = 0; i <= parts.count; ++i) parts.begin[i] /= values_a_unit;
  return parts;
}

template <typename T>
void split_plain(cudaStream_t stream, const SplitQkvArguments& a, const PartTable& parts) {
  const bool in_place = a.q == nullptr;
  const Norms norms{{a.norm_q.data, a.norm_q.type}, {a.norm_k.data, a.norm_k.type}};
  const Three<T> out{static_cast<T*>(a.q), static_cast<T*>(a.k), static_cast<T*>(a.v)};
  const dim3 grid(static_cast<unsigned>(a.rows), in_place ? 2 : 3);
  split_qkv_plain<<<grid, block_threads, 0, stream>>>(static_cast<T*>(a.qkv), norms, a.cos_sin, out, in_place, parts,
                                                      a.rows, a.heads * a.head_dim, a.head_dim, a.eps);
}

template <int dim, bool in_place>
void split_fast(cudaStream_t stream, const SplitQkvArguments& a, const PartTable& parts) {
  constexpr int threads = row_threads(dim);
  static const int64_t resident = resident_blocks(split_qkv_rows<dim, in_place>, threads);
  split_qkv_rows<dim, in_place><<<row_blocks(resident, a.rows), threads, 0, stream>>>(
      static_cast<uint4*>(a.qkv), static_cast<const uint4*>(a.norm_q.data), static_cast<const uint4*>(a.norm_k.data),
      a.cos_sin, {static_cast<bf16*>(a.q), static_cast<bf16*>(a.k), static_cast<bf16*>(a.v)}, parts, a.rows, a.head_dim,
      a.eps);
}

}  // namespace

void split_qkv(cudaStream_t stream, const SplitQkvArguments& a, const PartTable& parts) {
  if (a.rows == 0) return;
  const int dim = a.heads * a.head_dim;
  const bool fits = a.type == DType::bf16 && a.norm_q.type == DType::bf16 && a.norm_k.type == DType::bf16 &&
                    a.head_dim % 8 == 0 && dim / 2 % a.head_dim == 0 && aligned16(a.qkv) && aligned16(a.norm_q.data) &&
                    aligned16(a.norm_k.data) && aligned16(a.cos_sin) && aligned16(a.q) && aligned16(a.k) &&
                    aligned16(a.v);
  const bool in_place = a.q == nullptr;
  if (fits && dim == 1536) {
    const auto split = in_place ? split_fast<1536, true> : split_fast<1536, false>;
    split(stream, a, parts);
  } else if (fits && dim == 3072) {
    const auto split = in_place ? split_fast<3072, true> : split_fast<3072, false>;
    split(stream, a, parts);
  } else if (fits && dim == 5120) {
    const auto split = in_place ? split_fast<5120, true> : split_fast<5120, false>;
    split(stream, a, parts);
  } else {
    const auto split = a.type == DType::f32 ? split_plain<float> : split_plain<bf16>;
    split(stream, a, parts);
  }
  checkLaunch();
}

void merge_heads(cudaStream_t stream, DType type, const void* parted, const PartTable& parts, void* y, int64_t rows) {
  const int dim = parts.begin[parts.count];
  if (rows == 0 || dim == 0) return;
  const int values_a_vector = static_cast<int>(16 / size_of(type));
  bool whole_vectors = aligned16(parted) && aligned16(y);
  for (int i = 0; i <= parts.count; ++i) whole_vectors = whole_vectors && parts.begin[i] % values_a_vector == 0;
  const auto blocks = static_cast<unsigned>(rows);
  if (whole_vectors) {
    merge_heads_units<<<blocks, block_threads, 0, stream>>>(static_cast<const uint4*>(parted),
                                                            in_units(parts, values_a_vector), static_cast<uint4*>(y),
                                                            rows, dim / values_a_vector);
  } else if (type == DType::f32) {
    merge_heads_units<<<blocks, block_threads, 0, stream>>>(static_cast<const float*>(parted), parts,
                                                            static_cast<float*>(y), rows, dim);
  } else {
    merge_heads_units<<<blocks, block_threads, 0, stream>>>(static_cast<const bf16*>(parted), parts,
                                                            static_cast<bf16*>(y), rows, dim);
  }
  checkLaunch();
}

}  // namespace wansweep::cuda
