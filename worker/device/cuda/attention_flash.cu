// FlashAttention-3's kernel for Hopper: one warp loads tiles with the tensor memory accelerator (TMA) while two warp
// groups multiply, and the softmax of one tile overlaps the products of the next. In a cluster of two blocks, each
// loads half of the keys and values and sends them to both, which halves what is read from the L2 cache. The tile size
// is FlashAttention's own choice; it decides the order of sums, which is the same for all kernels here: clusters and
// the order of blocks change no bit. The last tile of keys is masked; rows past the end of q are not written.
// FlashAttention's own launch code ends the process on an error, so the kernel is launched here.

#include <cuda_runtime.h>
#include <flash_fwd_launch_template.h>

#include <cmath>
#include <cstdint>

#include "worker/device/cuda/attention_library.h"

namespace wansweep {

namespace {

using Bf16 = cutlass::bfloat16_t;
using cute::_1;
using cute::Int;
using cute::Shape;

constexpr int head_dim = 128;
constexpr int stages = 2;  // of keys, and of values, in shared memory
constexpr auto tile = tile_size_fwd_sm90(head_dim, head_dim, /*is_causal=*/false, /*is_local=*/false);
constexpr int q_tile = std::get<0>(tile);
constexpr int kv_tile = std::get<1>(tile);

constexpr int cluster = 2;

// Each block computes one tile of q. When kernels of other streams, such as NCCL's, hold some multiprocessors, the
// blocks share the others.
using EachTile = flash::SingleTileScheduler<>;
// One block for each multiprocessor computes every so many tiles, and loads the next q during the last products. A
// block that finds no free multiprocessor delays all of its tiles.
using Persistent = flash::StaticPersistentTileScheduler<>;
// Below so many keys the time between tiles counts: with 512 keys, an H200 takes 0.62 ms persistent and 0.82 ms
// otherwise.
constexpr int64_t few_keys = 4096;

template <typename Scheduler>
cudaError_t launch_kernel(const AttentionShape& shape, const AttentionOperands& operands, int processors,
                          cudaStream_t stream) {
  using Cluster = Shape<Int<cluster>, _1, _1>;
  using Mainloop = flash::CollectiveMainloopFwdSm90<
      stages, Cluster, Shape<Int<q_tile>, Int<kv_tile>, Int<head_dim>>, head_dim, Bf16, float, cutlass::arch::Sm90,
      /*Is_causal=*/false, /*Is_local=*/false, /*Has_softcap=*/false, /*Varlen=*/false, /*PagedKVNonTMA=*/false,
      /*AppendKV=*/false, /*HasQv=*/false, /*MmaPV_is_RS=*/std::get<2>(tile), /*IntraWGOverlap=*/std::get<3>(tile),
      /*PackGQA=*/false, /*Split=*/false, /*V_colmajor=*/false>;
  using Epilogue =
      flash::CollectiveEpilogueFwd<Shape<Int<q_tile>, Int<head_dim>, Int<kv_tile>>, Cluster, Bf16, cutlass::arch::Sm90,
                                   Mainloop::NumMmaThreads, /*Varlen=*/false, /*PackGQA=*/false, /*Split=*/false,
                                   /*FP8PermuteCol=*/false>;
  using Kernel = flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<Mainloop, Epilogue, Scheduler>>;

  const auto q_rows = static_cast<int>(shape.q_rows);
  const auto kv_rows = static_cast<int>(shape.kv_rows);
  const auto operand = [](const void* data) { return static_cast<Bf16*>(const_cast<void*>(data)); };
  const auto rows_of = [](int64_t stride) { return cute::make_stride(stride, _1{}, int64_t{head_dim}, int64_t{0}); };
  const auto shape_of = [&](int rows) { return cute::make_shape(rows, head_dim, shape.heads, 1); };
  typename Mainloop::Arguments inputs{
      .ptr_Q = operand(operands.q),
      .shape_Q = shape_of(q_rows),
      .stride_Q = rows_of(shape.q_stride),
      .ptr_K = operand(operands.k),
      .shape_K = shape_of(kv_rows),
      .stride_K = rows_of(shape.k_stride),
      .ptr_V = operand(operands.v),
      .headdim_v = head_dim,
      .stride_V = rows_of(shape.v_stride),
      .shape_pagetable = cute::make_shape(1, 0),
      .softmax_scale = 1 / std::sqrt(static_cast<float>(head_dim)),
      .window_size_left = kv_rows - 1,
      .window_size_right = q_rows - 1,
      .num_splits = 1,
  };
  typename Epilogue::Arguments results{
      .ptr_O = operand(operands.out),
      .shape_O = cute::make_shape(q_rows, head_dim, shape.heads, 1, 1),
      .stride_O = cute::make_stride(int64_t{shape.heads} * head_dim, _1{}, int64_t{head_dim}, int64_t{0}, int64_t{0}),
      .ptr_LSE = operands.lse,
      .stride_LSE = cute::make_stride(_1{}, shape.q_rows, int64_t{0}, int64_t{0}),
      .nheads_kv = shape.heads,
  };
  const int tiles = cutlass::round_up(cutlass::ceil_div(q_rows, q_tile), cluster);
  const flash::TileSchedulerArguments order{.num_blocks = tiles,
                                            .num_head = shape.heads,
                                            .num_batch = 1,
                                            .num_splits = 1,
                                            .qhead_per_khead = 1,
                                            .seqlen = q_rows,
                                            .seqlen_k = kv_rows,
                                            .headdim = head_dim,
                                            .headdim_v = head_dim,
                                            .element_size = sizeof(Bf16)};
  // A cluster must find all of its blocks in the grid.
  const int whole_clusters = processors / cluster * cluster;
  const typename Kernel::Params params =
      Kernel::to_underlying_arguments({inputs, results, {.device_id = 0, .sm_count = whole_clusters}, order});

  const auto* kernel = reinterpret_cast<const void*>(cutlass::device_kernel<Kernel>);
  constexpr int shared_bytes = Kernel::SharedStorageSize;
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  if (error != cudaSuccess) return error;
  cudaLaunchAttribute clusters{};
  clusters.id = cudaLaunchAttributeClusterDimension;
  clusters.val.clusterDim = {.x = cluster, .y = 1, .z = 1};
  cudaLaunchConfig_t launch{};
  launch.gridDim = Kernel::get_grid_shape(params);
  launch.blockDim = Kernel::get_block_shape();
  launch.dynamicSmemBytes = shared_bytes;
  launch.stream = stream;
  launch.attrs = &clusters;
  launch.numAttrs = 1;
  void* arguments[] = {const_cast<typename Kernel::Params*>(&params)};
  return cudaLaunchKernelExC(&launch, kernel, arguments);
}

struct Variant {
  const char* name;
  int64_t keys_below;
  cudaError_t (*launch)(const AttentionShape&, const AttentionOperands&, int processors, cudaStream_t);
};

constexpr int64_t rows_below = int64_t{1} << 30;  // the kernel counts rows in int

constexpr Variant variants[] = {
    {"flash-attention 3", rows_below, launch_kernel<EachTile>},
    {"flash-attention 3 persistent", few_keys, launch_kernel<Persistent>},
};

class FlashAttention : public AttentionLibrary {
 public:
  FlashAttention(Device& device, cudaStream_t stream, int processors)
      : device_(device), stream_(stream), processors_(processors) {}

  std::string version() const override { return "flash-attention " WANSWEEP_FLASH_ATTENTION; }

  std::vector<std::string> kernels(const AttentionShape& shape) override {
    std::vector<std::string> names;
    for (const Variant& variant : variants) {
      if (takes(variant, shape)) names.emplace_back(variant.name);
    }
    return names;
  }

  std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) override;

  cudaError_t launch(const Variant& variant, const AttentionShape& shape, AttentionOperands operands) const {
    // The kernel always writes the log-sum-exps.
    if (operands.lse == nullptr) operands.lse = reinterpret_cast<float*>(unwanted_.data());
    return variant.launch(shape, operands, processors_, stream_);
  }

 private:
  // TMA needs rows that start at multiples of 16 bytes.
  static bool takes(const Variant& variant, const AttentionShape& s) {
    return s.head_dim == head_dim && s.q_stride % 8 == 0 && s.k_stride % 8 == 0 && s.v_stride % 8 == 0 &&
           s.q_rows < rows_below && s.kv_rows < variant.keys_below;
  }

  void make_room(int64_t bytes) {
    if (bytes <= unwanted_.bytes()) return;
    device_.synchronize();  // a kernel may still write to the smaller one
    unwanted_ = Buffer();
    unwanted_ = device_.allocate(bytes, "log-sum-exps that nobody reads");
  }

  Device& device_;
  cudaStream_t stream_;
  int processors_;
  Buffer unwanted_;
};

class FlashKernel : public AttentionKernel {
 public:
  FlashKernel(const FlashAttention& library, const AttentionShape& shape, const Variant& variant)
      : library_(library), shape_(shape), variant_(variant) {}
  std::string launch(const AttentionOperands& operands) override {
    const cudaError_t error = library_.launch(variant_, shape_, operands);
    return error == cudaSuccess ? std::string() : cudaGetErrorString(error);
  }

 private:
  const FlashAttention& library_;
  AttentionShape shape_;
  const Variant& variant_;
};

std::unique_ptr<AttentionKernel> FlashAttention::prepare(const AttentionShape& shape, const std::string& kernel) {
  for (const Variant& variant : variants) {
    if (kernel != variant.name || !takes(variant, shape)) continue;
    if (!shape.lse) make_room(shape.q_rows * shape.heads * int64_t{sizeof(float)});
    return std::make_unique<FlashKernel>(*this, shape, variant);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<AttentionLibrary> make_flash_attention(Device& device, cudaStream_t stream, int processors) {
  return std::make_unique<FlashAttention>(device, stream, processors);
}

}  // namespace wansweep
