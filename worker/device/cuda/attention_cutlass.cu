// The attention of CUTLASS's example 88, for Hopper. Where `FlashInfer` puts the softmax of one tile under the products
// of the next, here two groups of warps take turns: one multiplies while the other is at its softmax.
// It always writes log-sum-exps; where nobody asks for them they go to a buffer of its own.

#include <cuda_runtime.h>

#include <cstdint>

#include "collective/fmha_fusion.hpp"
#include "cute/tensor.hpp"
#include "cutlass/cutlass.h"
#include "cutlass/device_kernel.h"
#include "kernel/fmha_kernel_builder.hpp"

#include "worker/device/cuda/attention_library.h"
#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

using Bf16 = cutlass::bfloat16_t;
using cute::_1;
using cute::Int;
using cutlass::fmha::kernel::Option;
using cutlass::fmha::kernel::Tag;

constexpr int head_dim = 128;

template <int q_tile, int kv_tile, typename Policy, typename... Options>
cudaError_t launch_tiles(const AttentionShape& shape, const AttentionOperands& operands, int multiprocessors,
                         cudaStream_t stream) {
  using Stride = cute::tuple<int, _1, cute::tuple<int, int>>;  // rows, values, (batches, heads)
  using Tile = cute::Shape<Int<q_tile>, Int<kv_tile>, Int<head_dim>>;
  using Kernel = typename cutlass::fmha::kernel::FmhaBuilder<Bf16, float, float, Tile, Stride, Stride, Stride,
                                                             cutlass::fmha::collective::ResidualFusion, Policy,
                                                             Options...>::Kernel;
  const auto stride = [](int64_t rows) {
    return Stride{static_cast<int>(rows), _1{}, cute::tuple<int, int>{0, head_dim}};
  };
  const auto q_rows = static_cast<int>(shape.q_rows);
  const typename Kernel::Arguments arguments{
      {1, shape.heads, q_rows, static_cast<int>(shape.kv_rows), head_dim},
      {static_cast<const Bf16*>(operands.q), stride(shape.q_stride), static_cast<const Bf16*>(operands.k),
       stride(shape.k_stride), static_cast<const Bf16*>(operands.v), stride(shape.v_stride)},
      {static_cast<Bf16*>(operands.out), stride(int64_t{shape.heads} * head_dim), operands.lse, {_1{}, {0, q_rows}}},
      {/*device_id=*/0, multiprocessors}};
  const typename Kernel::Params params = Kernel::to_underlying_arguments(arguments, /*workspace=*/nullptr);
  auto* kernel = cutlass::device_kernel<Kernel>;
  const cudaError_t error =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Kernel::SharedStorageSize);
  if (error != cudaSuccess) return error;
  kernel<<<Kernel::get_grid_shape(params), Kernel::get_block_shape(), Kernel::SharedStorageSize, stream>>>(params);
  return cudaGetLastError();
}

using PingPong = cutlass::gemm::KernelTmaWarpSpecializedPingpong;
using Cooperative = cutlass::gemm::KernelTmaWarpSpecializedCooperative;
template <int count>
using Groups = Option<Tag::kNumMmaWarpGroups, Int<count>>;
template <int count>
using Stages = Option<Tag::kStagesKV, Int<count>>;

struct Tiles {
  const char* name;
  cudaError_t (*launch)(const AttentionShape&, const AttentionOperands&, int, cudaStream_t);
};

constexpr Tiles all_tiles[] = {
    {"cutlass 128 x 128 ping-pong", launch_tiles<128, 128, PingPong, Stages<4>>},
    {"cutlass 128 x 128 cooperative", launch_tiles<128, 128, Cooperative>},
    {"cutlass 192 x 128 cooperative", launch_tiles<192, 128, Cooperative, Groups<3>, Stages<4>>},
    {"cutlass 192 x 64 ping-pong", launch_tiles<192, 64, PingPong, Groups<3>, Stages<6>>},
};

class CutlassAttention : public AttentionLibrary {
 public:
  CutlassAttention(Device& device, cudaStream_t stream) : device_(device), stream_(stream) {
    int ordinal = 0;
    cudaCheck(cudaGetDevice(&ordinal));
    cudaCheck(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, ordinal));
  }

  std::string version() const override { return "cutlass " WANSWEEP_CUTLASS; }

  std::vector<std::string> kernels(const AttentionShape& shape) override {
    std::vector<std::string> names;
    if (!takes(shape)) return names;
    for (const Tiles& tiles : all_tiles) names.emplace_back(tiles.name);
    return names;
  }

  std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) override;

  std::string launch(const AttentionShape& shape, const Tiles& tiles, AttentionOperands operands) const {
    if (operands.lse == nullptr) operands.lse = reinterpret_cast<float*>(unwanted_lse_.data());
    const cudaError_t error = tiles.launch(shape, operands, multiprocessors_, stream_);
    return error == cudaSuccess ? std::string() : cudaGetErrorString(error);
  }

 private:
  static bool takes(const AttentionShape& s) {
    constexpr int64_t most = int64_t{1} << 30;
    return s.head_dim == head_dim && s.q_stride % 8 == 0 && s.k_stride % 8 == 0 && s.v_stride % 8 == 0 &&
           s.q_rows < most && s.kv_rows < most && s.q_rows * s.heads < most;
  }

  Device& device_;
  cudaStream_t stream_;
  int multiprocessors_ = 0;
  Buffer unwanted_lse_;
};

class CutlassKernel : public AttentionKernel {
 public:
  CutlassKernel(const CutlassAttention& library, const AttentionShape& shape, const Tiles& tiles)
      : library_(library), shape_(shape), tiles_(tiles) {}
  std::string launch(const AttentionOperands& operands) override { return library_.launch(shape_, tiles_, operands); }

 private:
  const CutlassAttention& library_;
  AttentionShape shape_;
  const Tiles& tiles_;
};

std::unique_ptr<AttentionKernel> CutlassAttention::prepare(const AttentionShape& shape, const std::string& kernel) {
  for (const Tiles& tiles : all_tiles) {
    if (!takes(shape) || kernel != tiles.name) continue;
    const int64_t bytes = shape.q_rows * shape.heads * 4;
    if (!shape.lse && bytes > unwanted_lse_.bytes()) {
      cudaCheck(cudaStreamSynchronize(stream_));  // the smaller one may be in use
      unwanted_lse_ = Buffer();
      unwanted_lse_ = device_.allocate(bytes, "CUTLASS's log-sum-exps");
    }
    return std::make_unique<CutlassKernel>(*this, shape, tiles);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<AttentionLibrary> make_cutlass_attention(Device& device, cudaStream_t stream) {
  return std::make_unique<CutlassAttention>(device, stream);
}

}  // namespace wansweep
