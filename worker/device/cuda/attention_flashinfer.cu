// FlashInfer's kernel of FlashAttention-3's design, for Hopper: some warps load tiles with the tensor memory
// accelerator (TMA) while warp groups multiply, and the softmax of one tile overlaps the products of the next. Each
// kernel has one tile size: q_tile rows of q stay in shared memory while tiles of kv_tile keys pass. The last tile of
// keys is masked; rows past the end of q are not written. FlashInfer's host code has its own layout for the log-sum-exp
// (rows slowest, base 2), so the kernel is launched here, with an epilogue that writes the layout of
// worker/device/ops.h.

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include <flashinfer/attention/hopper/default_params.cuh>
#include <flashinfer/attention/hopper/prefill_sm90.cuh>
#include <flashinfer/attention/hopper/variants.cuh>

#include "worker/device/cuda/attention_library.h"

namespace wansweep {

namespace {

using Bf16 = cutlass::bfloat16_t;

constexpr int head_dim = 128;
constexpr int stages = 2;  // of keys, and of values, in shared memory
constexpr float ln_2 = 0.693147180559945309F;

template <typename Traits>
struct Epilogue : flashinfer::CollectiveEpilogue<Traits> {
  using Base = flashinfer::CollectiveEpilogue<Traits>;
  struct Params : Base::Params {
    float* lse;  // [heads, rows]
    int64_t rows;
  };

  // The log-sum-exps of this thread's rows are to base 2. Of the four threads that share a row, the one with the row's
  // first column writes the value.
  template <typename BlockCoord, typename Storage, typename Values, typename LogSums, typename TiledMma>
  CUTLASS_DEVICE void store(const Params& params, const Values& values, const LogSums& log_sums, Storage& storage,
                            TiledMma mma, int thread, const BlockCoord& coord) {
    Base::store(params, values, log_sums, storage, mma, thread, coord);
    if (params.lse == nullptr) return;
    const auto at = mma.get_thread_slice(thread).partition_C(
        cute::make_identity_tensor(cute::select<0, 1>(typename Base::TileShape_PDV{})));
    const auto rows = at(cute::make_coord(cute::_0{}, cute::_, cute::_0{}), cute::_, cute::_0{});
    if (cute::get<1>(rows(cute::_0{})) != 0) return;
    float* of_head = params.lse + cute::get<1>(coord) * params.rows;
    const int first = cute::get<0>(coord) * Traits::CTA_Q;
#pragma unroll
    for (int i = 0; i < cute::size(log_sums); ++i) {
      const int row = first + cute::get<0>(rows(i));
      if (row < params.rows) of_head[row] = log_sums(i) * ln_2;
    }
  }
};

template <int q_tile, int kv_tile>
cudaError_t launch_tiles(const AttentionShape& shape, const AttentionOperands& operands, cudaStream_t stream) {
  using Inputs = flashinfer::SinglePrefillParams<Bf16, Bf16, Bf16>;
  using Traits = flashinfer::AttentionKernelTraits</*USE_TMA_LOAD_KV=*/true, head_dim, head_dim, q_tile, kv_tile,
                                                   stages, Bf16, Bf16, Bf16, int32_t, flashinfer::StandardAttention>;
  using Mainloop = flashinfer::CollectiveMainloop<typename Inputs::AdditionalParams, Traits, /*CAUSAL=*/false>;
  using Scheduler = flashinfer::SingleTileScheduler;
  const auto q_rows = static_cast<int>(shape.q_rows);
  const auto kv_rows = static_cast<int>(shape.kv_rows);
  const auto rows_of = [&](int rows, int64_t stride) {
    return flashinfer::get_gmem_layout(rows, shape.heads, head_dim, stride, /*h_stride=*/head_dim);
  };
  const typename Mainloop::Params mainloop = Mainloop::to_underlying_arguments(
      {static_cast<const Bf16*>(operands.q),
       rows_of(q_rows, shape.q_stride),
       static_cast<const Bf16*>(operands.k),
       rows_of(kv_rows, shape.k_stride),
       static_cast<const Bf16*>(operands.v),
       rows_of(kv_rows, shape.v_stride),
       /*window_left=*/-1,
       {.logits_soft_cap = 0, .sm_scale = 1 / std::sqrt(static_cast<float>(head_dim))}});
  const typename Epilogue<Traits>::Params epilogue{
      Epilogue<Traits>::Base::to_underlying_arguments(
          {static_cast<Bf16*>(operands.out), rows_of(q_rows, int64_t{shape.heads} * head_dim),
           /*lse_ptr=*/nullptr, flashinfer::get_lse_gmem_layout(q_rows, shape.heads)}),
      operands.lse, shape.q_rows};
  const typename Scheduler::Arguments tiles{(q_rows + q_tile - 1) / q_tile, shape.heads, q_rows, kv_rows,
                                            cutlass::FastDivmod(1)};
  const typename Scheduler::Params scheduler = Scheduler::to_underlying_arguments(tiles);

  auto* kernel = flashinfer::PrefillWithKVCacheKernel<Mainloop, Epilogue<Traits>, Traits, /*LEFT_SLIDING_WINDOW=*/false,
                                                      /*CAUSAL=*/false, Scheduler>;
  constexpr int shared_bytes = sizeof(typename Traits::SharedStorage);
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  if (error != cudaSuccess) return error;
  kernel<<<Scheduler::get_grid_dim(tiles, 0), Traits::NUM_THREADS, shared_bytes, stream>>>(mainloop, epilogue,
                                                                                           scheduler);
  return cudaGetLastError();
}

struct Tiles {
  const char* name;
  cudaError_t (*launch)(const AttentionShape&, const AttentionOperands&, cudaStream_t);
};

// The tile size decides the order of sums, so a kernel's name determines its bits. Other sizes were slower on an H100:
// tiles of 160 keys by a sixth, of 176 keys by over a third, 192 rows of q by half and more.
constexpr Tiles all_tiles[] = {
    {"flashinfer 128 x 192", launch_tiles<128, 192>},
    {"flashinfer 128 x 128", launch_tiles<128, 128>},
};

class FlashInferKernel : public AttentionKernel {
 public:
  FlashInferKernel(const AttentionShape& shape, const Tiles& tiles, cudaStream_t stream)
      : shape_(shape), tiles_(tiles), stream_(stream) {}
  std::string launch(const AttentionOperands& operands) override {
    const cudaError_t error = tiles_.launch(shape_, operands, stream_);
    return error == cudaSuccess ? std::string() : cudaGetErrorString(error);
  }

 private:
  AttentionShape shape_;
  const Tiles& tiles_;
  cudaStream_t stream_;
};

class FlashInferAttention : public AttentionLibrary {
 public:
  explicit FlashInferAttention(cudaStream_t stream) : stream_(stream) {}

  std::string version() const override { return "flashinfer " WANSWEEP_FLASHINFER; }

  std::vector<std::string> kernels(const AttentionShape& shape) override {
    std::vector<std::string> names;
    if (!takes(shape)) return names;
    for (const Tiles& tiles : all_tiles) names.emplace_back(tiles.name);
    return names;
  }

  std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) override {
    for (const Tiles& tiles : all_tiles) {
      if (takes(shape) && kernel == tiles.name) return std::make_unique<FlashInferKernel>(shape, tiles, stream_);
    }
    return nullptr;
  }

 private:
  // TMA needs rows that start at multiples of 16 bytes; rows are counted in int.
  static bool takes(const AttentionShape& s) {
    constexpr int64_t most_rows = int64_t{1} << 30;
    return s.head_dim == head_dim && s.q_stride % 8 == 0 && s.k_stride % 8 == 0 && s.v_stride % 8 == 0 &&
           s.q_rows < most_rows && s.kv_rows < most_rows;
  }

  cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<AttentionLibrary> make_flashinfer_attention(cudaStream_t stream) {
  return std::make_unique<FlashInferAttention>(stream);
}

}  // namespace wansweep
