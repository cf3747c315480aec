// Each operation checks its arguments and calls a kernel or a library: own kernels for operations that no library has
// (kernels.h), cuBLASLt for products (linear.h), the fastest of several libraries for attention (attention.h). All work
// is enqueued on the compute stream; nothing waits.

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
    throw Error(ExitCode::internal, fmt::format("{} Ulysses parts; at most {} are possible", heads_of_part.size(),
                                                int{cuda::PartTable::most}));
  }
  table.count = static_cast<int>(heads_of_part.size());
  for (size_t i = 0; i < heads_of_part.size(); ++i) table.begin[i + 1] = table.begin[i] + heads_of_part[i] * head_dim;
  return table;
}

void check_type(DType type, const char* op) {
  if (type != DType::f16) return;
  throw bad_input(fmt::format("{}: the type is f16; the CUDA backend computes in bf16 or f32", op));
}

}  // namespace

CudaOps::CudaOps(CudaDevice& device)
    : stream_(device.stream(StreamId::compute)),
      linear_(device, stream_, device.properties().name, cache_),
      attention_(stream_, device.properties().name, cache_,
                 open_attention_libraries(device, stream_, device.properties())) {}

void CudaOps::linear(const LinearArguments& a) {
  check_type(a.type, "linear");
  if (a.w.type != a.type || (a.bias.data != nullptr && a.bias.type != a.type)) {
    throw bad_input("linear: weights and bias must have the type of the activations on the CUDA backend");
  }
  if (a.m == 0 || a.n == 0) return;
  const LinearOperands operands{a.x, a.w.data, a.bias.data, a.y};
  // The library's GELU uses a fast tanh, which is exact enough only for bf16.
  const bool gelu_inside = a.activation == Activation::gelu_tanh && a.type == DType::bf16;
  linear_.run({a.type, a.m, a.n, a.k, a.bias.data != nullptr, gelu_inside, common_alignment(operands)}, operands);
  if (a.activation != Activation::none && !gelu_inside)
    cuda::activate(stream_, a.type, a.y, a.y, a.activation, a.m * a.n);
}

void CudaOps::layer_norm(const LayerNormArguments& a) {
  check_type(a.type, "layer_norm");
  cuda::layer_norm(stream_, a);
}

void CudaOps::split_qkv(const SplitQkvArguments& a) {
  check_type(a.type, "split_qkv");
  if (a.head_dim % 2 != 0) throw bad_input(fmt::format("split_qkv: head_dim is {}; it must be even", a.head_dim));
  cuda::PartTable table;
  if (a.q != nullptr) table = make_part_table(a.parts.heads_of_part, a.head_dim);
  if (a.q != nullptr && table.begin[table.count] != a.heads * a.head_dim) {
    throw Error(ExitCode::internal, fmt::format("split_qkv: the parts have {} heads; {} are needed",
                                                table.begin[table.count] / a.head_dim, a.heads));
  }
  cuda::split_qkv(stream_, a, table);
}

void CudaOps::rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                       float eps) {
  check_type(type, "rms_norm");
  cuda::rms_norm(stream_, type, x, stride, weight, y, rows, dim, eps);
}

void CudaOps::attention(const AttentionArguments& a) {
  check_type(a.type, "attention");
  if (a.q_rows == 0) return;
  if (a.kv_rows == 0) {
    const int64_t values = a.q_rows * a.heads * a.head_dim;
    cudaCheck(cudaMemsetAsync(a.out, 0, static_cast<size_t>(values * size_of(a.type)), stream_));
    if (a.lse != nullptr) cuda::fill(stream_, a.lse, -std::numeric_limits<float>::infinity(), a.q_rows * a.heads);
    return;
  }
  if (a.type == DType::f32) {
    if (a.head_dim > cuda::most_plain_head_dim) {
      throw bad_input(fmt::format("attention in f32: head_dim is {}; at most {} is possible", a.head_dim,
                                  int{cuda::most_plain_head_dim}));
    }
    cuda::plain_attention(stream_, a);
    return;
  }
  if (a.head_dim % 8 != 0) {
    throw bad_input(fmt::format("attention: head_dim is {}; cuDNN needs a multiple of 8 in bf16", a.head_dim));
  }
  attention_.run({a.q_rows, a.kv_rows, a.q.stride, a.k.stride, a.v.stride, a.heads, a.head_dim, a.lse != nullptr},
                 {a.q.data, a.k.data, a.v.data, a.out, a.lse},
                 a.heads_of_all_groups > 0 ? a.heads_of_all_groups : a.heads);
}

void CudaOps::merge_attention(const MergeAttentionArguments& a) {
  check_type(a.type, "merge_attention");
  if (a.head_dim % 4 != 0) {
    throw bad_input(fmt::format("merge_attention: head_dim is {}; it must be a multiple of 4", a.head_dim));
  }
  cuda::merge_attention(stream_, a);
}

void CudaOps::merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) {
  check_type(type, "merge_heads");
  cuda::merge_heads(stream_, type, parted, make_part_table(parts.heads_of_part, head_dim), y, rows);
}

void CudaOps::add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) {
  check_type(type, "add_gated");
  cuda::add_gated(stream_, type, x, y, gate, rows, dim);
}

void CudaOps::add_gated_and_norm(void* x, const void* y, const float* gate, const LayerNormArguments& norm) {
  check_type(norm.type, "add_gated_and_norm");
  if (!cuda::add_gated_and_norm(stream_, x, y, gate, norm)) Ops::add_gated_and_norm(x, y, gate, norm);
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

void CudaOps::unipc_step(const UniPCArguments& a) {
  check_type(a.type, "unipc_step");
  cuda::unipc_step(stream_, a);
}

void CudaOps::count_not_finite(const float* x, int64_t n, int64_t* count) {
  cudaCheck(cudaMemsetAsync(count, 0, sizeof(*count), stream_));
  cuda::count_not_finite(stream_, x, n, count);
}

}  // namespace wansweep
