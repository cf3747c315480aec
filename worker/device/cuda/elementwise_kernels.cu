// Gate and residual, type conversion, activations, and the scheduler step.

#include "worker/device/cuda/kernels.h"
#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

namespace {

// --- x += y * gate

constexpr int gated_threads = 128;
constexpr int gated_rows = 8;  // rows of a thread, which reads its part of the gate once

// bf16, 16-byte vectors: a thread keeps its column and iterates over rows.
template <bool gated>
__global__ __launch_bounds__(gated_threads) void add_gated_rows(uint4* __restrict__ x, const uint4* __restrict__ y,
                                                                const float* __restrict__ gate, int64_t rows,
                                                                int vectors) {
  const int column = static_cast<int>(blockIdx.y) * gated_threads + static_cast<int>(threadIdx.x);
  if (column >= vectors) return;
  float g[8];
  if constexpr (gated) load_eight(gate + column * 8, g);
  const int64_t first = int64_t{blockIdx.x} * gated_rows;
  uint4 a[gated_rows], b[gated_rows];
#pragma unroll
  for (int i = 0; i < gated_rows; ++i) {
    if (first + i >= rows) break;
    a[i] = x[(first + i) * vectors + column];
    b[i] = y[(first + i) * vectors + column];
  }
#pragma unroll
  for (int i = 0; i < gated_rows; ++i) {
    if (first + i >= rows) break;
    float sum[8], addend[8];
    unpack(a[i], sum);
    unpack(b[i], addend);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum[j] += gated ? addend[j] * g[j] : addend[j];
    x[(first + i) * vectors + column] = pack(sum);
  }
}

template <typename T>
__global__ void add_gated_plain(T* x, const T* y, const float* gate, int64_t n, int64_t dim) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) {
    const float addend = to_float(y[i]) * (gate != nullptr ? gate[i % dim] : 1.0F);
    from_float(to_float(x[i]) + addend, &x[i]);
  }
}

// --- one value for each iteration

template <typename Work>
__global__ void for_each(int64_t n, Work work) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) work(i);
}

template <typename Work>
void launch_each(cudaStream_t stream, int64_t n, Work work) {
  if (n == 0) return;
  for_each<<<blocks_for(n, block_threads), block_threads, 0, stream>>>(n, work);
  checkLaunch();
}

// Calls `use` with a null pointer of the type that a DType names.
template <typename Use>
void with_type(DType type, Use use) {
  if (type == DType::f32) return use(static_cast<float*>(nullptr));
  if (type == DType::bf16) return use(static_cast<bf16*>(nullptr));
  use(static_cast<__half*>(nullptr));
}

struct AddTable {
  AnyWeight table;
  const float* vector;
  float* out;
  __device__ void operator()(int64_t i) const { out[i] = table[i] + vector[i]; }
};

struct Fill {
  float* data;
  float value;
  __device__ void operator()(int64_t i) const { data[i] = value; }
};

template <typename From, typename To>
struct Convert {
  const From* x;
  To* y;
  __device__ void operator()(int64_t i) const { from_float(to_float(x[i]), &y[i]); }
};

__device__ inline float activated(float x, Activation activation) {
  // x / (1 + exp(-2u)) is x/2 (1 + tanh u) without the cancellation for negative u.
  if (activation == Activation::gelu_tanh) {
    const float u = 0.7978845608F * (x + 0.044715F * x * x * x);
    return x / (1 + expf(-2 * u));
  }
  if (activation == Activation::silu) return x / (1 + expf(-x));
  return x;
}

template <typename T>
struct Activate {
  const T* x;
  T* y;
  Activation activation;
  __device__ void operator()(int64_t i) const { from_float(activated(to_float(x[i]), activation), &y[i]); }
};

// --- the scheduler step

// A term with a factor of 0 is left out, not multiplied: in the first steps the history holds no values yet, maybe NaN.
__device__ inline float term(float factor, float value) { return factor != 0 ? factor * value : 0; }

// Infinite and NaN values are rare, so one atomic addition for each costs nothing.
struct CountNotFinite {
  const float* x;
  unsigned long long* count;
  __device__ void operator()(int64_t i) const {
    if (!isfinite(x[i])) atomicAdd(count, 1ULL);
  }
};

struct UniPCValues {
  float v, x, last, m0, m1;
};

__device__ inline UniPCValues unipc(const UniPCStep& step, float cond, float uncond, float x, float last, float m0,
                                    float m1) {
  const float v = uncond + step.guidance * (cond - uncond);
  const float m = x - step.sigma * v;
  const float corrected =
      step.correct ? term(step.c_last, last) + term(step.c_m0, m0) + term(step.c_m1, m1) + term(step.c_mt, m) : x;
  return {v, term(step.p_x, corrected) + term(step.p_mt, m) + term(step.p_m0, m0), corrected, m, m0};
}

__device__ inline void load_four(const float* from, float (&out)[4]) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  out[0] = v.x, out[1] = v.y, out[2] = v.z, out[3] = v.w;
}

__device__ inline void load_four(const bf16* from, float (&out)[4]) {
  const uint2 v = *reinterpret_cast<const uint2*>(from);
  out[0] = low(v.x), out[1] = high(v.x), out[2] = low(v.y), out[3] = high(v.y);
}

__device__ inline void store_four(float* to, const float (&in)[4]) {
  *reinterpret_cast<float4*>(to) = make_float4(in[0], in[1], in[2], in[3]);
}

template <typename T>
struct UniPC {
  UniPCStep step;
  const T* cond;
  const T* uncond;
  float *noise_pred, *x, *last, *m0, *m1;

  __device__ void operator()(int64_t i) const {
    const UniPCValues next = unipc(step, to_float(cond[i]), to_float(uncond[i]), x[i], last[i], m0[i], m1[i]);
    noise_pred[i] = next.v, x[i] = next.x, last[i] = next.last, m0[i] = next.m0, m1[i] = next.m1;
  }
};

// Four values for each iteration.
template <typename T>
struct UniPCFour {
  UniPC<T> all;

  __device__ void operator()(int64_t vector) const {
    const int64_t at = vector * 4;
    float c[4], u[4], x[4], last[4], m0[4], m1[4], v[4];
    load_four(all.cond + at, c);
    load_four(all.uncond + at, u);
    load_four(all.x + at, x);
    load_four(all.last + at, last);
    load_four(all.m0 + at, m0);
    load_four(all.m1 + at, m1);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const UniPCValues next = unipc(all.step, c[i], u[i], x[i], last[i], m0[i], m1[i]);
      v[i] = next.v, x[i] = next.x, last[i] = next.last, m0[i] = next.m0, m1[i] = next.m1;
    }
    store_four(all.noise_pred + at, v);
    store_four(all.x + at, x);
    store_four(all.last + at, last);
    store_four(all.m0 + at, m0);
    store_four(all.m1 + at, m1);
  }
};

template <typename T>
UniPC<T> tail_of(UniPC<T> all, int64_t done) {
  return {all.step,     all.cond + done, all.uncond + done, all.noise_pred + done,
          all.x + done, all.last + done, all.m0 + done,     all.m1 + done};
}

template <typename T>
void launch_unipc(cudaStream_t stream, const UniPC<T>& all, int64_t n) {
  bool whole_vectors = true;
  for (const void* address :
       {static_cast<const void*>(all.cond), static_cast<const void*>(all.uncond),
        static_cast<const void*>(all.noise_pred), static_cast<const void*>(all.x), static_cast<const void*>(all.last),
        static_cast<const void*>(all.m0), static_cast<const void*>(all.m1)}) {
    whole_vectors = whole_vectors && aligned16(address);
  }
  const int64_t vectors = whole_vectors ? n / 4 : 0;
  launch_each(stream, vectors, UniPCFour<T>{all});
  launch_each(stream, n - vectors * 4, tail_of(all, vectors * 4));
}

}  // namespace

void add_gated(cudaStream_t stream, DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) {
  if (rows == 0 || dim == 0) return;
  if (type == DType::bf16 && dim % 8 == 0 && aligned16(x) && aligned16(y) && aligned16(gate)) {
    const int vectors = static_cast<int>(dim / 8);
    const dim3 grid(blocks_for(rows, gated_rows), blocks_for(vectors, gated_threads));
    const auto kernel = gate != nullptr ? add_gated_rows<true> : add_gated_rows<false>;
    kernel<<<grid, gated_threads, 0, stream>>>(static_cast<uint4*>(x), static_cast<const uint4*>(y), gate, rows,
                                               vectors);
  } else {
    with_type(type, [&]<typename T>(T*) {
      add_gated_plain<<<blocks_for(rows * dim, block_threads), block_threads, 0, stream>>>(
          static_cast<T*>(x), static_cast<const T*>(y), gate, rows * dim, dim);
    });
  }
  checkLaunch();
}

void add_table(cudaStream_t stream, Weight table, const float* vector, float* out, int64_t n) {
  launch_each(stream, n, AddTable{{table.data, table.type}, vector, out});
}

void convert(cudaStream_t stream, DType from, const void* x, DType to, void* y, int64_t n) {
  if (from == to) {
    cudaCheck(cudaMemcpyAsync(y, x, static_cast<size_t>(n * size_of(from)), cudaMemcpyDeviceToDevice, stream));
    return;
  }
  with_type(from, [&]<typename From>(From*) {
    with_type(to, [&]<typename To>(To*) {
      launch_each(stream, n, Convert<From, To>{static_cast<const From*>(x), static_cast<To*>(y)});
    });
  });
}

void activate(cudaStream_t stream, DType type, const void* x, void* y, Activation activation, int64_t n) {
  with_type(type, [&]<typename T>(T*) {
    launch_each(stream, n, Activate<T>{static_cast<const T*>(x), static_cast<T*>(y), activation});
  });
}

void count_not_finite(cudaStream_t stream, const float* x, int64_t n, int64_t* count) {
  launch_each(stream, n, CountNotFinite{x, reinterpret_cast<unsigned long long*>(count)});
}

void fill(cudaStream_t stream, float* data, float value, int64_t n) { launch_each(stream, n, Fill{data, value}); }

void unipc_step(cudaStream_t stream, const UniPCArguments& a) {
  // Without guidance there is no uncond, and cond takes its place: uncond + g * (cond - uncond) is then exactly cond.
  const void* other = a.uncond != nullptr ? a.uncond : a.cond;
  if (a.type == DType::f32) {
    launch_unipc(stream,
                 UniPC<float>{a.step, static_cast<const float*>(a.cond), static_cast<const float*>(other), a.noise_pred,
                              a.x, a.last, a.m0, a.m1},
                 a.n);
  } else {
    launch_unipc(stream,
                 UniPC<bf16>{a.step, static_cast<const bf16*>(a.cond), static_cast<const bf16*>(other), a.noise_pred,
                             a.x, a.last, a.m0, a.m1},
                 a.n);
  }
}

}  // namespace wansweep::cuda
