// The operations of the CPU backend, in f32. The CUDA backend is tested against them, so they are plain loops and one
// BLAS call, and sum each row in double and in fixed lanes.
// An operation checks its arguments on the caller's thread, where it may throw, and enqueues a function with copies of
// them. Memory behind pointers must stay valid until the stream has run the function; lists behind spans are copied.
// OpenBLAS runs on one thread: ranks share the cores, and more threads would change the order of sums.

#include "worker/device/cpu/cpu_ops.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/float_formats.h"
#include "worker/device/cpu/cpu_attention.h"
#include "worker/device/cpu/lanes.h"

// OpenBLAS has these functions; other libraries with the same interface do not.
extern "C" {
void openblas_set_num_threads(int threads) __attribute__((weak));
char* openblas_get_config(void) __attribute__((weak));
}

namespace wansweep {
namespace {

// Sum of f(i) for i in [0, n), in double.
template <typename F>
double sum(int64_t n, F f) {
  double parts[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) parts[lane] += f(i + lane);
  }
  for (; i < n; ++i) parts[0] += f(i);
  return std::accumulate(parts, parts + lanes, 0.0);
}

const float* f32(DType type, const void* data, const char* op) {
  if (type != DType::f32) throw bad_input(fmt::format("{}: the CPU backend computes in f32 only", op));
  return static_cast<const float*>(data);
}

float* f32(DType type, void* data, const char* op) {
  return const_cast<float*>(f32(type, static_cast<const void*>(data), op));
}

const float* f32(Weight weight, const char* op) { return f32(weight.type, weight.data, op); }

int blas_size(int64_t size, const char* op) {
  if (size < 0 || size > std::numeric_limits<int>::max()) {
    throw bad_input(fmt::format("{}: a size is {}; BLAS needs sizes between 0 and 2147483647", op, size));
  }
  return static_cast<int>(size);
}

std::vector<int> copy_parts(HeadParts parts, int heads, const char* op) {
  const int total = std::accumulate(parts.heads_of_part.begin(), parts.heads_of_part.end(), 0);
  if (total != heads) {
    throw Error(ExitCode::internal, fmt::format("{}: the parts have {} heads; {} are needed", op, total, heads));
  }
  return {parts.heads_of_part.begin(), parts.heads_of_part.end()};
}

// x / (1 + exp(-2u)) is x/2 (1 + tanh u) without the cancellation for negative u.
float gelu_tanh(float x) {
  const float u = 0.7978845608F * (x + 0.044715F * x * x * x);
  return x / (1 + std::exp(-2 * u));
}

float silu_of(float x) { return x / (1 + std::exp(-x)); }

template <typename F>
void finish_rows(float* y, const float* bias, int64_t m, int64_t n, F activation) {
  for (int64_t row = 0; row < m; ++row, y += n) {
    for (int64_t i = 0; i < n; ++i) y[i] = activation(bias != nullptr ? y[i] + bias[i] : y[i]);
  }
}

float inverse_rms(const float* x, int64_t dim, float eps) {
  const double squares = sum(dim, [x](int64_t i) { return double{x[i]} * x[i]; });
  return static_cast<float>(1 / std::sqrt(squares / static_cast<double>(dim) + eps));
}

// The heads of one row: normalised, then each pair of values rotated. `to` may be `from`.
void norm_and_rotate(const float* from, const float* weight, float inverse, const float* cos_sin, float* to, int heads,
                     int head_dim) {
  for (int head = 0; head < heads; ++head, from += head_dim, weight += head_dim, to += head_dim) {
    for (int i = 0; i < head_dim; i += 2) {
      const float x0 = from[i] * inverse * weight[i];
      const float x1 = from[i + 1] * inverse * weight[i + 1];
      to[i] = x0 * cos_sin[i] - x1 * cos_sin[i + 1];
      to[i + 1] = x0 * cos_sin[i + 1] + x1 * cos_sin[i];
    }
  }
}

float load(DType type, const void* x, int64_t i) {
  if (type == DType::f32) return static_cast<const float*>(x)[i];
  const uint16_t bits = static_cast<const uint16_t*>(x)[i];
  return type == DType::bf16 ? bf16_to_f32(bits) : f16_to_f32(bits);
}

void store(DType type, void* y, int64_t i, float value) {
  if (type == DType::f32) {
    static_cast<float*>(y)[i] = value;
  } else {
    static_cast<uint16_t*>(y)[i] = type == DType::bf16 ? f32_to_bf16(value) : f32_to_f16(value);
  }
}

}  // namespace

CpuOps::CpuOps(Stream& compute) : compute_(compute) {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

std::string CpuOps::blas_version() { return openblas_get_config != nullptr ? openblas_get_config() : "unknown"; }

void CpuOps::linear(const LinearArguments& a) {
  const float* in = f32(a.type, a.x, "linear");
  const float* matrix = f32(a.w, "linear");
  const float* offset = a.bias.data != nullptr ? f32(a.bias, "linear") : nullptr;
  float* out = f32(a.type, a.y, "linear");
  const int rows = blas_size(a.m, "linear");
  const int columns = blas_size(a.n, "linear");
  const int depth = blas_size(a.k, "linear");
  if (a.m == 0 || a.n == 0) return;
  compute_.enqueue([=] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, depth, 1.0F, in, depth, matrix, depth, 0.0F,
                out, columns);
    switch (a.activation) {
      case Activation::none:
        if (offset != nullptr) finish_rows(out, offset, a.m, a.n, [](float value) { return value; });
        break;
      case Activation::gelu_tanh:
        finish_rows(out, offset, a.m, a.n, gelu_tanh);
        break;
      case Activation::silu:
        finish_rows(out, offset, a.m, a.n, silu_of);
        break;
    }
  });
}

void CpuOps::layer_norm(const LayerNormArguments& a) {
  const float* in = f32(a.type, a.x, "layer_norm");
  const float* gains = f32(a.gain, "layer_norm");
  const float* shifts = f32(a.shift, "layer_norm");
  float* out = f32(a.type, a.y, "layer_norm");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < a.rows; ++row) {
      const float* from = in + row * a.dim;
      float* to = out + row * a.dim;
      const auto count = static_cast<double>(a.dim);
      const double mean = sum(a.dim, [from](int64_t i) { return double{from[i]}; }) / count;
      const double variance =
          sum(a.dim, [from, mean](int64_t i) { return (from[i] - mean) * (from[i] - mean); }) / count;
      const auto inverse = static_cast<float>(1 / std::sqrt(variance + a.eps));
      for (int64_t i = 0; i < a.dim; ++i) {
        const auto centred = static_cast<float>(from[i] - mean);
        to[i] = centred * inverse * (gains[i] + a.gain_offset) + shifts[i];
      }
    }
  });
}

void CpuOps::split_qkv(const SplitQkvArguments& a) {
  const int64_t dim = int64_t{a.heads} * a.head_dim;
  float* in = f32(a.type, a.qkv, "split_qkv");
  const float* weights[2] = {f32(a.norm_q, "split_qkv"), f32(a.norm_k, "split_qkv")};
  float* outs[3] = {f32(a.type, a.q, "split_qkv"), f32(a.type, a.k, "split_qkv"), f32(a.type, a.v, "split_qkv")};
  if (a.head_dim % 2 != 0) throw bad_input(fmt::format("split_qkv: head_dim is {}; it must be even", a.head_dim));
  if (a.q == nullptr && a.k == nullptr && a.v == nullptr) {
    compute_.enqueue([=] {
      for (int64_t row = 0; row < a.rows; ++row) {
        for (int which = 0; which < 2; ++which) {
          float* values = in + (row * 3 + which) * dim;
          const float inverse = inverse_rms(values, dim, a.eps);
          norm_and_rotate(values, weights[which], inverse, a.cos_sin + row * a.head_dim, values, a.heads, a.head_dim);
        }
      }
    });
    return;
  }
  const std::vector<int> heads_of_part = copy_parts(a.parts, a.heads, "split_qkv");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < a.rows; ++row) {
      for (int which = 0; which < 3; ++which) {
        const float* from = in + (row * 3 + which) * dim;
        const float inverse = which < 2 ? inverse_rms(from, dim, a.eps) : 1;
        int64_t column = 0;
        for (const int part_heads : heads_of_part) {
          const int64_t width = int64_t{part_heads} * a.head_dim;
          float* to = outs[which] + column * a.rows + row * width;  // the parts before hold all rows of their heads
          if (which < 2) {
            norm_and_rotate(from + column, weights[which] + column, inverse, a.cos_sin + row * a.head_dim, to,
                            part_heads, a.head_dim);
          } else {
            std::copy_n(from + column, width, to);
          }
          column += width;
        }
      }
    }
  });
}

void CpuOps::rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                      float eps) {
  const float* in = f32(type, x, "rms_norm");
  const float* weights = f32(weight, "rms_norm");
  float* out = f32(type, y, "rms_norm");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < rows; ++row) {
      const float* from = in + row * stride;
      float* to = out + row * dim;
      const float inverse = inverse_rms(from, dim, eps);
      for (int64_t i = 0; i < dim; ++i) to[i] = from[i] * inverse * weights[i];
    }
  });
}

void CpuOps::attention(const AttentionArguments& a) {
  const FloatRows queries{f32(a.type, a.q.data, "attention"), a.q.stride};
  const FloatRows keys{f32(a.type, a.k.data, "attention"), a.k.stride};
  const FloatRows values{f32(a.type, a.v.data, "attention"), a.v.stride};
  float* result = f32(a.type, a.out, "attention");
  for (const Rows& rows : {a.q, a.k, a.v}) blas_size(rows.stride, "attention");
  compute_.enqueue(
      [=] { cpu_attention(queries, keys, values, result, a.lse, a.q_rows, a.kv_rows, a.heads, a.head_dim); });
}

void CpuOps::merge_attention(const MergeAttentionArguments& a) {
  const float* values = f32(a.type, a.part, "merge_attention");
  float* result = f32(a.type, a.out, "merge_attention");
  compute_.enqueue([=] {
    cpu_merge_attention(values, a.part_lse, a.acc, a.acc_lse, result, a.first, a.last, a.rows, a.heads, a.head_dim);
  });
}

void CpuOps::merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) {
  const float* in = f32(type, parted, "merge_heads");
  float* out = f32(type, y, "merge_heads");
  const std::vector<int> heads_of_part(parts.heads_of_part.begin(), parts.heads_of_part.end());
  compute_.enqueue([=] {
    const int64_t dim = int64_t{std::accumulate(heads_of_part.begin(), heads_of_part.end(), 0)} * head_dim;
    const float* from = in;
    int64_t column = 0;
    for (const int part_heads : heads_of_part) {
      const int64_t width = int64_t{part_heads} * head_dim;
      for (int64_t row = 0; row < rows; ++row, from += width) std::copy_n(from, width, out + row * dim + column);
      column += width;
    }
  });
}

void CpuOps::add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) {
  float* sums = f32(type, x, "add_gated");
  const float* addends = f32(type, y, "add_gated");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < rows; ++row) {
      float* to = sums + row * dim;
      const float* from = addends + row * dim;
      if (gate == nullptr) {
        for (int64_t i = 0; i < dim; ++i) to[i] += from[i];
      } else {
        for (int64_t i = 0; i < dim; ++i) to[i] += from[i] * gate[i];
      }
    }
  });
}

void CpuOps::add_table(Weight table, const float* vector, float* out, int64_t n) {
  const float* values = f32(table, "add_table");
  compute_.enqueue([=] {
    for (int64_t i = 0; i < n; ++i) out[i] = values[i] + vector[i];
  });
}

void CpuOps::convert(DType from, const void* x, DType to, void* y, int64_t n) {
  if (n == 0) return;
  compute_.enqueue([=] {
    if (from == to) {
      std::memcpy(y, x, static_cast<size_t>(n * size_of(from)));
    } else {
      for (int64_t i = 0; i < n; ++i) store(to, y, i, load(from, x, i));
    }
  });
}

void CpuOps::silu(const float* x, float* y, int64_t n) {
  compute_.enqueue([=] { std::transform(x, x + n, y, silu_of); });
}

void CpuOps::unipc_step(const UniPCArguments& a) {
  const float* conds = f32(a.type, a.cond, "unipc_step");
  const float* unconds = f32(a.type, a.uncond, "unipc_step");
  // A term with a factor of 0 is left out, not multiplied: in the first steps the history is not filled yet and may
  // hold NaN.
  const auto term = [](float factor, float value) { return factor != 0 ? factor * value : 0; };
  compute_.enqueue([=] {
    for (int64_t i = 0; i < a.n; ++i) {
      const float v = unconds != nullptr ? unconds[i] + a.step.guidance * (conds[i] - unconds[i]) : conds[i];
      const float m = a.x[i] - a.step.sigma * v;
      const float corrected = a.step.correct ? term(a.step.c_last, a.last[i]) + term(a.step.c_m0, a.m0[i]) +
                                                   term(a.step.c_m1, a.m1[i]) + term(a.step.c_mt, m)
                                             : a.x[i];
      a.noise_pred[i] = v;
      a.x[i] = term(a.step.p_x, corrected) + term(a.step.p_mt, m) + term(a.step.p_m0, a.m0[i]);
      a.last[i] = corrected;
      a.m1[i] = a.m0[i];
      a.m0[i] = m;
    }
  });
}

void CpuOps::count_not_finite(const float* x, int64_t n, int64_t* count) {
  compute_.enqueue([=] { *count = std::count_if(x, x + n, [](float value) { return !std::isfinite(value); }); });
}

}  // namespace wansweep
