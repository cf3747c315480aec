#include "worker/device/cuda/cuda_ops.h"

#include <fmt/format.h>

#include <bit>
#include <limits>

#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/cuda_device_impl.h"
#include "worker/device/cuda/kernels.h"

namespace wansweep {

namespace {

// The largest power of two, at most 256, that divides all four addresses.
int common_alignment(const LinearOperands& o) {
  uintptr_t bits = 256;
  for (const void* address : {o.x, o.w, o.bias, static_cast<const void*>(o.y)}) {
    bits |= reinterpret_cast<uintptr_t>(address);
  }
  return 1 << std::countr_zero(bits);
}

cuda::PartTable make_part_table(std::span<const int> heads_of_part, int head_dim) {
  cuda::PartTable table;
  if (heads_of_part.size() > cuda::PartTable::most) {
    throw Error(ExitCode::internal,
                fmt::format("{} Ulysses parts; {} are the most", heads_of_part.size(), int{cuda::PartTable::most}));
  }
  table.count = static_cast<int>(heads_of_part.size());
  for (size_t i = 0; i < heads_of_part.size(); ++i) table.begin[i + 1] = table.begin[i] + heads_of_part[i] * head_dim;
  return table;
}

void check_type(DType type, const char* op) {
  if (type != DType::f16) return;
  throw bad_input(fmt::format("{}: the CUDA backend computes in bf16 or f32, not in f16", op));
}

}  // namespace

CudaOps::CudaOps(CudaDevice& device)
    : stream_(device.stream(StreamId::compute)),
      linear_(device, stream_, device.properties().name, cache_),
      attention_(device, stream_, device.properties().name, cache_) {}

void CudaOps::linear(DType type, const void* x, Weight w, Weight bias, void* y, int64_t m, int64_t n, int64_t k,
                     Activation activation) {
  check_type(type, "linear");
  if (w.type != type || (bias.data != nullptr && bias.type != type)) {
    throw bad_input("linear: the CUDA backend takes weights and bias of the activations' type");
  }
  if (m == 0 || n == 0) return;
  const LinearOperands operands{x, w.data, bias.data, y};
  // The library's GELU takes a fast tanh, good enough for bf16 only.
  const bool gelu_inside = activation == Activation::gelu_tanh && type == DType::bf16;
  linear_.run({type, m, n, k, bias.data != nullptr, gelu_inside, common_alignment(operands)}, operands);
  if (activation != Activation::none && !gelu_inside) cuda::activate(stream_, type, y, y, activation, m * n);
}

void CudaOps::layer_norm(DType type, const void* x, Weight gain, float gain_offset, Weight shift, void* y, int64_t rows,
                         int64_t dim, float eps) {
  check_type(type, "layer_norm");
  cuda::layer_norm(stream_, type, x, gain, gain_offset, shift, y, rows, dim, eps);
}

void CudaOps::split_qkv(DType type, void* qkv, Weight norm_q, Weight norm_k, const float* cos_sin, void* q, void* k,
                        void* v, HeadParts parts, int64_t rows, int heads, int head_dim, float eps) {
  check_type(type, "split_qkv");
  if (head_dim % 2 != 0) throw bad_input(fmt::format("split_qkv: a head_dim of {}; it must be even", head_dim));
  cuda::PartTable table;
  if (q != nullptr) table = make_part_table(parts.heads_of_part, head_dim);
  if (q != nullptr && table.begin[table.count] != heads * head_dim) {
    throw Error(ExitCode::internal,
                fmt::format("split_qkv: the parts have {} heads of {}", table.begin[table.count] / head_dim, heads));
  }
  cuda::split_qkv(stream_, type, qkv, norm_q, norm_k, cos_sin, q, k, v, table, rows, heads, head_dim, eps);
}

void CudaOps::rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                       float eps) {
  check_type(type, "rms_norm");
  cuda::rms_norm(stream_, type, x, stride, weight, y, rows, dim, eps);
}

void CudaOps::attention(DType type, Rows q, Rows k, Rows v, void* out, float* lse, int64_t q_rows, int64_t kv_rows,
                        int heads, int head_dim) {
  check_type(type, "attention");
  if (q_rows == 0) return;
  if (kv_rows == 0) {
    const int64_t values = q_rows * heads * head_dim;
    cudaCheck(cudaMemsetAsync(out, 0, static_cast<size_t>(values * size_of(type)), stream_));
    if (lse != nullptr) cuda::fill(stream_, lse, -std::numeric_limits<float>::infinity(), q_rows * heads);
    return;
  }
  if (type == DType::f32) {
    if (head_dim > cuda::most_plain_head_dim) {
      throw bad_input(
          fmt::format("attention in f32: a head_dim of {}; {} is the most", head_dim, int{cuda::most_plain_head_dim}));
    }
    cuda::plain_attention(stream_, static_cast<const float*>(q.data), q.stride, static_cast<const float*>(k.data),
                          k.stride, static_cast<const float*>(v.data), v.stride, static_cast<float*>(out), lse, q_rows,
                          kv_rows, heads, head_dim);
    return;
  }
  if (head_dim % 8 != 0) {
    throw bad_input(fmt::format("attention: a head_dim of {}; cuDNN takes multiples of 8 in bf16", head_dim));
  }
  attention_.run({q_rows, kv_rows, q.stride, k.stride, v.stride, heads, head_dim, lse != nullptr},
                 {q.data, k.data, v.data, out, lse});
}

void CudaOps::merge_attention(DType type, const void* part, const float* part_lse, float* acc, float* acc_lse,
                              void* out, bool first, bool last, int64_t rows, int heads, int head_dim) {
  check_type(type, "merge_attention");
  if (head_dim % 4 != 0) {
    throw bad_input(fmt::format("merge_attention: a head_dim of {}; it must be a multiple of 4", head_dim));
  }
  cuda::merge_attention(stream_, type, part, part_lse, acc, acc_lse, out, first, last, rows, heads, head_dim);
}

void CudaOps::merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) {
  check_type(type, "merge_heads");
  cuda::merge_heads(stream_, type, parted, make_part_table(parts.heads_of_part, head_dim), y, rows);
}

void CudaOps::add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) {
  check_type(type, "add_gated");
  cuda::add_gated(stream_, type, x, y, gate, rows, dim);
}

void CudaOps::add_table(Weight table, const float* vector, float* out, int64_t n) {
  cuda::add_table(stream_, table, vector, out, n);
}

void CudaOps::convert(DType from, const void* x, DType to, void* y, int64_t n) {
  if (n > 0) cuda::convert(stream_, from, x, to, y, n);
}

void CudaOps::silu(const float* x, float* y, int64_t n) {
  cuda::activate(stream_, DType::f32, x, y, Activation::silu, n);
}

void CudaOps::unipc_step(DType type, const UniPCStep& step, const void* cond, const void* uncond, float* noise_pred,
                         float* x, float* last, float* m0, float* m1, int64_t n) {
  check_type(type, "unipc_step");
  cuda::unipc_step(stream_, type, step, cond, uncond, noise_pred, x, last, m0, m1, n);
}

}  // namespace wansweep
