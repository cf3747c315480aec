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

// OpenBLAS has these, other libraries with the same interface do not.
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
    throw bad_input(fmt::format("{}: a size of {}; a BLAS takes 0 to 2147483647", op, size));
  }
  return static_cast<int>(size);
}

std::vector<int> copy_parts(HeadParts parts, int heads, const char* op) {
  const int total = std::accumulate(parts.heads_of_part.begin(), parts.heads_of_part.end(), 0);
  if (total != heads) {
    throw Error(ExitCode::internal, fmt::format("{}: the parts have {} heads of {}", op, total, heads));
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

// One row's heads: normalised, then each pair of values turned. `to` may be `from`.
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

void CpuOps::linear(DType type, const void* x, Weight w, Weight bias, void* y, int64_t m, int64_t n, int64_t k,
                    Activation activation) {
  const float* in = f32(type, x, "linear");
  const float* matrix = f32(w, "linear");
  const float* offset = bias.data != nullptr ? f32(bias, "linear") : nullptr;
  float* out = f32(type, y, "linear");
  const int rows = blas_size(m, "linear");
  const int columns = blas_size(n, "linear");
  const int depth = blas_size(k, "linear");
  if (m == 0 || n == 0) return;
  compute_.enqueue([=] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, depth, 1.0F, in, depth, matrix, depth, 0.0F,
                out, columns);
    switch (activation) {
      case Activation::none:
        if (offset != nullptr) finish_rows(out, offset, m, n, [](float value) { return value; });
        break;
      case Activation::gelu_tanh:
        finish_rows(out, offset, m, n, gelu_tanh);
        break;
      case Activation::silu:
        finish_rows(out, offset, m, n, silu_of);
        break;
    }
  });
}

void CpuOps::layer_norm(DType type, const void* x, Weight gain, float gain_offset, Weight shift, void* y, int64_t rows,
                        int64_t dim, float eps) {
  const float* in = f32(type, x, "layer_norm");
  const float* gains = f32(gain, "layer_norm");
  const float* shifts = f32(shift, "layer_norm");
  float* out = f32(type, y, "layer_norm");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < rows; ++row) {
      const float* from = in + row * dim;
      float* to = out + row * dim;
      const auto count = static_cast<double>(dim);
      const double mean = sum(dim, [from](int64_t i) { return double{from[i]}; }) / count;
      const double variance = sum(dim, [from, mean](int64_t i) { return (from[i] - mean) * (from[i] - mean); }) / count;
      const auto inverse = static_cast<float>(1 / std::sqrt(variance + eps));
      for (int64_t i = 0; i < dim; ++i) {
        const auto centred = static_cast<float>(from[i] - mean);
        to[i] = centred * inverse * (gains[i] + gain_offset) + shifts[i];
      }
    }
  });
}

void CpuOps::split_qkv(DType type, void* qkv, Weight norm_q, Weight norm_k, const float* cos_sin, void* q, void* k,
                       void* v, HeadParts parts, int64_t rows, int heads, int head_dim, float eps) {
  const int64_t dim = int64_t{heads} * head_dim;
  float* in = f32(type, qkv, "split_qkv");
  const float* weights[2] = {f32(norm_q, "split_qkv"), f32(norm_k, "split_qkv")};
  float* outs[3] = {f32(type, q, "split_qkv"), f32(type, k, "split_qkv"), f32(type, v, "split_qkv")};
  if (head_dim % 2 != 0) throw bad_input(fmt::format("split_qkv: a head_dim of {}; it must be even", head_dim));
  if (q == nullptr && k == nullptr && v == nullptr) {
    compute_.enqueue([=] {
      for (int64_t row = 0; row < rows; ++row) {
        for (int which = 0; which < 2; ++which) {
          float* values = in + (row * 3 + which) * dim;
          const float inverse = inverse_rms(values, dim, eps);
          norm_and_rotate(values, weights[which], inverse, cos_sin + row * head_dim, values, heads, head_dim);
        }
      }
    });
    return;
  }
  const std::vector<int> heads_of_part = copy_parts(parts, heads, "split_qkv");
  compute_.enqueue([=] {
    for (int64_t row = 0; row < rows; ++row) {
      for (int which = 0; which < 3; ++which) {
        const float* from = in + (row * 3 + which) * dim;
        const float inverse = which < 2 ? inverse_rms(from, dim, eps) : 1;
        int64_t column = 0;
        for (const int part_heads : heads_of_part) {
          const int64_t width = int64_t{part_heads} * head_dim;
          float* to = outs[which] + column * rows + row * width;  // the parts before hold all rows of their heads
          if (which < 2) {
            norm_and_rotate(from + column, weights[which] + column, inverse, cos_sin + row * head_dim, to, part_heads,
                            head_dim);
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

void CpuOps::attention(DType type, Rows q, Rows k, Rows v, void* out, float* lse, int64_t q_rows, int64_t kv_rows,
                       int heads, int head_dim) {
  const FloatRows queries{f32(type, q.data, "attention"), q.stride};
  const FloatRows keys{f32(type, k.data, "attention"), k.stride};
  const FloatRows values{f32(type, v.data, "attention"), v.stride};
  float* result = f32(type, out, "attention");
  for (const Rows& rows : {q, k, v}) blas_size(rows.stride, "attention");
  compute_.enqueue([=] { cpu_attention(queries, keys, values, result, lse, q_rows, kv_rows, heads, head_dim); });
}

void CpuOps::merge_attention(DType type, const void* part, const float* part_lse, float* acc, float* acc_lse, void* out,
                             bool first, bool last, int64_t rows, int heads, int head_dim) {
  const float* values = f32(type, part, "merge_attention");
  float* result = f32(type, out, "merge_attention");
  compute_.enqueue(
      [=] { cpu_merge_attention(values, part_lse, acc, acc_lse, result, first, last, rows, heads, head_dim); });
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

void CpuOps::unipc_step(DType type, const UniPCStep& step, const void* cond, const void* uncond, float* noise_pred,
                        float* x, float* last, float* m0, float* m1, int64_t n) {
  const float* conds = f32(type, cond, "unipc_step");
  const float* unconds = f32(type, uncond, "unipc_step");
  // A term with a factor of 0 is left out, not multiplied: in the first steps the history holds no values yet, maybe
  // NaN.
  const auto term = [](float factor, float value) { return factor != 0 ? factor * value : 0; };
  compute_.enqueue([=] {
    for (int64_t i = 0; i < n; ++i) {
      const float v = unconds != nullptr ? unconds[i] + step.guidance * (conds[i] - unconds[i]) : conds[i];
      const float m = x[i] - step.sigma * v;
      const float corrected = step.correct ? term(step.c_last, last[i]) + term(step.c_m0, m0[i]) +
                                                 term(step.c_m1, m1[i]) + term(step.c_mt, m)
                                           : x[i];
      noise_pred[i] = v;
      x[i] = term(step.p_x, corrected) + term(step.p_mt, m) + term(step.p_m0, m0[i]);
      last[i] = corrected;
      m1[i] = m0[i];
      m0[i] = m;
    }
  });
}

}  // namespace wansweep
