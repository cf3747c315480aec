// Attention by each library's kernels (bf16) and by the checking kernel (f32), its log-sum-exp, and the ring's merge.

#include <array>

#include "tests/worker/device/cuda/cuda_fixture.h"
#include "worker/device/cuda/attention.h"
#include "worker/device/cuda/cuda_device_impl.h"

namespace wansweep::test {
namespace {

using CudaAttentionTest = CudaTest;

struct Case {
  int64_t q_rows, kv_rows;
  int heads, head_dim;
};

// A log-sum-exp's error is absolute.
double largest_error(const Floats& got, const Floats& want) {
  double most = got.size() == want.size() ? 0 : INFINITY;
  for (size_t i = 0; i < got.size() && most < INFINITY; ++i) {
    if (got[i] == want[i]) continue;
    const double error = std::abs(double{got[i]} - want[i]);
    most = std::isnan(error) ? INFINITY : std::max(most, error);
  }
  return most;
}

TEST_F(CudaAttentionTest, IsASoftmaxOfProductsWithItsLogSumExp) {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const Case& c : {Case{100, 77, 3, 24}, Case{1, 1, 2, 128}, Case{130, 257, 7, 128}, Case{64, 512, 2, 24}}) {
      const int64_t stride = int64_t{c.heads} * c.head_dim;
      // q, k and v lie as their one matrix product leaves them; rows behind kv_rows are padding and must not be read.
      const int64_t rows = std::max(c.q_rows, c.kv_rows) + 3;
      Floats qkv = random(type, rows * 3 * stride);
      const OnGpu gpu_qkv = put(type, qkv);
      const auto* values = static_cast<const std::byte*>(gpu_qkv.data());
      Floats want(static_cast<size_t>(c.q_rows * stride)), want_lse(static_cast<size_t>(c.q_rows * c.heads));
      reference().attention({DType::f32,
                             {qkv.data(), 3 * stride},
                             {qkv.data() + stride, 3 * stride},
                             {qkv.data() + 2 * stride, 3 * stride},
                             want.data(),
                             want_lse.data(),
                             c.q_rows,
                             c.kv_rows,
                             c.heads,
                             c.head_dim});
      finish_reference();
      for (const bool with_lse : {true, false}) {
        const OnGpu out = room(type, c.q_rows * stride), lse = room(DType::f32, c.q_rows * c.heads);
        ops().attention({type,
                         {values, 3 * stride},
                         {values + stride * size_of(type), 3 * stride},
                         {values + 2 * stride * size_of(type), 3 * stride},
                         out.data(),
                         with_lse ? lse.floats() : nullptr,
                         c.q_rows,
                         c.kv_rows,
                         c.heads,
                         c.head_dim});
        EXPECT_LT(difference(out.values(), want), bar(type)) << name(type) << " " << c.q_rows << " x " << c.kv_rows;
        if (with_lse) {
          EXPECT_LT(largest_error(lse.values(), want_lse), type == DType::f32 ? 1e-5 : 1e-2)
              << name(type) << " " << c.q_rows << " x " << c.kv_rows;
        }
      }
    }
  }
}

TEST_F(CudaAttentionTest, EveryKernelOfEveryLibraryIsTheSameSoftmaxAndGivesTheSameBitsTwice) {
  auto& device = static_cast<CudaDevice&>(gpu());
  const AttentionLibraries available =
      open_attention_libraries(device, device.stream(StreamId::compute), device.properties());
  const int head_dim = 128;
  // Rows that fill no tile, less than a tile, and more than one; q, k and v side by side, with padding behind.
  for (const Case& c : {Case{130, 257, 7, head_dim}, Case{1, 1, 2, head_dim}, Case{64, 512, 3, head_dim},
                        Case{389, 1000, 1, head_dim}}) {
    const int64_t dim = int64_t{c.heads} * head_dim, rows = std::max(c.q_rows, c.kv_rows) + 3;
    const Floats qkv = random(DType::bf16, rows * 3 * dim);
    const OnGpu on_gpu = put(DType::bf16, qkv);
    const auto* values = static_cast<const std::byte*>(on_gpu.data());
    Floats want(static_cast<size_t>(c.q_rows * dim)), want_lse(static_cast<size_t>(c.q_rows * c.heads));
    reference().attention({DType::f32,
                           {qkv.data(), 3 * dim},
                           {qkv.data() + dim, 3 * dim},
                           {qkv.data() + 2 * dim, 3 * dim},
                           want.data(),
                           want_lse.data(),
                           c.q_rows,
                           c.kv_rows,
                           c.heads,
                           head_dim});
    finish_reference();
    for (const bool with_lse : {true, false}) {
      const AttentionShape shape{c.q_rows, c.kv_rows, 3 * dim, 3 * dim, 3 * dim, c.heads, head_dim, with_lse};
      for (const auto& library : available.libraries) {
        for (const std::string& name : library->kernels(shape)) {
          SCOPED_TRACE(name + ", " + describe(shape));
          const std::unique_ptr<AttentionKernel> kernel = library->prepare(shape, name);
          if (!kernel) continue;
          const OnGpu first = room(DType::bf16, c.q_rows * dim), second = room(DType::bf16, c.q_rows * dim);
          const OnGpu lse = room(DType::f32, c.q_rows * c.heads);
          for (const OnGpu* out : {&first, &second}) {
            EXPECT_EQ(kernel->launch(
                          {values, values + 2 * dim, values + 4 * dim, out->data(), with_lse ? lse.floats() : nullptr}),
                      "");
          }
          EXPECT_LT(difference(first.values(), want), bar(DType::bf16));
          EXPECT_EQ(first.values(), second.values());
          if (with_lse) {
            EXPECT_LT(largest_error(lse.values(), want_lse), 1e-2);
          }
        }
      }
    }
  }
}

TEST_F(CudaAttentionTest, AHopperGpuHasMoreThanCudnn) {
  auto& device = static_cast<CudaDevice&>(gpu());
  const bool hopper = device.properties().major == 9 && device.properties().minor == 0;
  const AttentionLibraries available =
      open_attention_libraries(device, device.stream(StreamId::compute), device.properties());
  if (hopper && available.left_out.empty()) {
    EXPECT_GT(available.libraries.size(), 1U);
  } else {
    EXPECT_EQ(available.libraries.size(), 1U);
  }
  EXPECT_EQ(available.libraries.front()->version().rfind("cudnn ", 0), 0U);
}

TEST_F(CudaAttentionTest, WithoutKeysIsZeroWithALogarithmOfMinusInfinity) {
  for (const DType type : {DType::f32, DType::bf16}) {
    const OnGpu q = put(type, random(type, 5 * 48)), out = room(type, 5 * 48), lse = room(DType::f32, 5 * 2);
    ops().attention({type, {q.data(), 48}, {q.data(), 48}, {q.data(), 48}, out.data(), lse.floats(), 5, 0, 2, 24});
    EXPECT_EQ(out.values(), Floats(5 * 48, 0.0F));
    EXPECT_EQ(lse.values(), Floats(5 * 2, -INFINITY));
  }
}

TEST_F(CudaAttentionTest, TheSumOfARingIsTheWhole) {
  const int64_t rows = 90;
  const int heads = 5, head_dim = 24;
  const int64_t stride = int64_t{heads} * head_dim;
  for (const DType type : {DType::f32, DType::bf16}) {
    const Floats q = random(type, rows * stride), k = random(type, rows * stride), v = random(type, rows * stride);
    Floats want(q.size());
    reference().attention({DType::f32,
                           {q.data(), stride},
                           {k.data(), stride},
                           {v.data(), stride},
                           want.data(),
                           nullptr,
                           rows,
                           rows,
                           heads,
                           head_dim});
    finish_reference();
    const OnGpu gpu_q = put(type, q), gpu_k = put(type, k), gpu_v = put(type, v);
    const OnGpu part = room(type, rows * stride), part_lse = room(DType::f32, rows * heads);
    const OnGpu sum = room(DType::f32, rows * stride), sum_lse = room(DType::f32, rows * heads);
    const OnGpu out = room(type, rows * stride);
    // A rank without tokens comes first, in the middle and last, since any rank may hold only padding.
    const std::vector<std::array<int64_t, 2>> members{{0, 0}, {0, 40}, {40, 40}, {40, 89}, {89, 90}, {90, 90}};
    for (size_t i = 0; i < members.size(); ++i) {
      const auto [begin, end] = members[i];
      const int64_t skip = begin * stride * size_of(type);
      ops().attention({type,
                       {gpu_q.data(), stride},
                       {static_cast<const std::byte*>(gpu_k.data()) + skip, stride},
                       {static_cast<const std::byte*>(gpu_v.data()) + skip, stride},
                       part.data(),
                       part_lse.floats(),
                       rows,
                       end - begin,
                       heads,
                       head_dim});
      ops().merge_attention({type, part.data(), part_lse.floats(), sum.floats(), sum_lse.floats(), out.data(), i == 0,
                             i + 1 == members.size(), rows, heads, head_dim});
    }
    EXPECT_LT(difference(out.values(), want), bar(type)) << name(type);
  }
}

TEST_F(CudaAttentionTest, TwiceGivesTheSameBits) {
  const int64_t rows = 300, stride = 4 * 128;
  const OnGpu q = put(DType::bf16, random(DType::bf16, rows * stride));
  const OnGpu first = room(DType::bf16, rows * stride), second = room(DType::bf16, rows * stride);
  for (const OnGpu* out : {&first, &second}) {
    ops().attention({DType::bf16,
                     {q.data(), stride},
                     {q.data(), stride},
                     {q.data(), stride},
                     out->data(),
                     nullptr,
                     rows,
                     rows,
                     4,
                     128});
  }
  EXPECT_EQ(first.values(), second.values());
}

}  // namespace
}  // namespace wansweep::test
