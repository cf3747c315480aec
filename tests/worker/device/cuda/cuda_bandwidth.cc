// Prints, a line each: the share of the GPU's own copy bandwidth that each kernel of the CUDA backend reaches, at the
// sizes of A14B at 480p, 81 frames; the rates of the host link; and the rates of a block's matrix products and
// attention at 480p and 720p on a hot GPU, with the forward that they add up to.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "base/error.h"
#include "base/float_formats.h"
#include "base/units.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/weights/random_values.h"

namespace {

using namespace wansweep;

constexpr int64_t rows = 32760, heads = 40, head_dim = 128, dim = heads * head_dim;
constexpr int64_t gibibyte = int64_t{1} << 30;

// The median seconds of `runs` repeats of the work, after at least `warm` seconds of the same.
double seconds_of(Device& device, StreamId stream, double warm, int runs, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 3; ++i) work();
    device.synchronize();
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < warm);
  std::vector<std::array<Event, 2>> spans;
  for (int i = 0; i < runs; ++i) {
    const Event start = device.record(stream);
    work();
    spans.push_back({start, device.record(stream)});
  }
  device.synchronize();
  std::vector<int64_t> times;
  for (const auto& [start, end] : spans) times.push_back(device.time_ns(end) - device.time_ns(start));
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return static_cast<double>(times[static_cast<size_t>(runs / 2)]) / 1e9;
}

double rate(Device& device, StreamId stream, int64_t bytes, const std::function<void()>& work) {
  return static_cast<double>(bytes) / seconds_of(device, stream, 0, 15, work);
}

void measure_bandwidths(Device& device) {
  const int64_t matrix = rows * dim * 2, tokens = rows * 64;
  const Buffer a = device.allocate(3 * matrix, "a"), b = device.allocate(3 * matrix, "b");
  const Buffer small = device.allocate(rows * head_dim * 4 + 64 * dim, "weights");
  auto* f32 = reinterpret_cast<float*>(small.data());
  const Weight vector{f32, DType::f32}, norm{small.data(), DType::bf16};
  Ops& ops = device.ops();

  const double copy = rate(device, StreamId::compute, 2 * 3 * matrix,
                           [&] { device.copy_device(StreamId::compute, b.data(), a.data(), 3 * matrix); });
  std::printf("copy on the device: %.0f GB/s\n", copy / 1e9);
  const auto report = [&](const char* what, int64_t bytes, const std::function<void()>& work) {
    const double reached = rate(device, StreamId::compute, bytes, work);
    std::printf("%-34s %5.0f GB/s, %.0f %% of the copy\n", what, reached / 1e9, 100 * reached / copy);
  };
  report("LayerNorm + modulation", 2 * matrix, [&] {
    ops.layer_norm({DType::bf16, a.data(), vector, 1, vector, b.data(), rows, dim, 1e-6F});
  });
  report("RMSNorm", 2 * matrix, [&] { ops.rms_norm(DType::bf16, a.data(), dim, norm, b.data(), rows, dim, 1e-6F); });
  report("RMSNorm + RoPE in place", 4 * matrix, [&] {
    ops.split_qkv(
        {DType::bf16, a.data(), norm, norm, f32, nullptr, nullptr, nullptr, {}, rows, heads, head_dim, 1e-6F});
  });
  const std::array<int, 4> parts{10, 10, 10, 10};
  report("RMSNorm + RoPE + head layout", 6 * matrix, [&] {
    ops.split_qkv({DType::bf16,
                   a.data(),
                   norm,
                   norm,
                   f32,
                   b.data(),
                   b.data() + matrix,
                   b.data() + 2 * matrix,
                   {parts},
                   rows,
                   heads,
                   head_dim,
                   1e-6F});
  });
  report("heads together", 2 * matrix,
         [&] { ops.merge_heads(DType::bf16, a.data(), {parts}, b.data(), rows, head_dim); });
  report("gate + residual", 3 * matrix, [&] { ops.add_gated(DType::bf16, a.data(), b.data(), f32, rows, dim); });
  report("the same, then LayerNorm", 4 * matrix, [&] {
    ops.add_gated_and_norm(a.data(), b.data(), f32,
                           {DType::bf16, a.data(), vector, 1, vector, b.data() + matrix, rows, dim, 1e-6F});
  });
  auto* state = reinterpret_cast<float*>(b.data());
  const UniPCStep step{.guidance = 4,
                       .sigma = 0.5F,
                       .correct = true,
                       .c_last = 1,
                       .c_m0 = 1,
                       .c_m1 = 1,
                       .c_mt = 1,
                       .p_x = 1,
                       .p_mt = 1,
                       .p_m0 = 1};
  // At the loop's size the data lies in the cache; at sixteen times that size it lies in memory.
  const int64_t n = 16 * tokens;
  report("guidance + UniPC, 16 x 480p", n * (2 * 2 + 9 * 4), [&] {
    ops.unipc_step({DType::bf16, step, a.data(), a.data() + 2 * n, state, state + n, state + 2 * n, state + 3 * n,
                    reinterpret_cast<float*>(a.data() + 4 * n), n});
  });

  const Buffer host = device.allocate_host(gibibyte, HostMemory::pinned, "host");
  const Buffer room = device.allocate(gibibyte, "room");
  const double in = rate(device, StreamId::copy, gibibyte,
                         [&] { device.copy_in(StreamId::copy, room.data(), host.data(), gibibyte); });
  const double out = rate(device, StreamId::copy, gibibyte,
                          [&] { device.copy_out(StreamId::copy, host.data(), room.data(), gibibyte); });
  std::printf("host to device %.1f GB/s, device to host %.1f GB/s\n", in / 1e9, out / 1e9);
}

// Values are normally distributed, because the time of a product depends on how many bits change. They repeat after a
// while.
Buffer normal_values(Device& device, int64_t n, float scale) {
  const int64_t drawn = std::min(n, int64_t{1} << 24);
  std::vector<float> values(static_cast<size_t>(drawn));
  fill_normal(1, "bandwidth", 0, values, scale);
  std::vector<uint16_t> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), f32_to_bf16);
  Buffer buffer = device.allocate(n * 2, "values");
  for (int64_t at = 0; at < n; at += drawn) {
    device.copy_in(StreamId::compute, buffer.data() + at * 2, rounded.data(), std::min(drawn, n - at) * 2);
  }
  device.synchronize();
  return buffer;
}

// What a block of A14B does on one GPU, called as worker/model/transformer.cc calls it.
void measure_forward(Device& device, int64_t tokens) {
  constexpr int64_t inner = 13824, text = 512, blocks = 40;
  constexpr double warm = 1;
  constexpr int runs = 20;
  const Buffer x = normal_values(device, tokens * 3 * dim, 1);
  const Buffer w = normal_values(device, inner * 2 * dim, 1.0F / 72);  // 1 / sqrt(dim)
  const Buffer bias = normal_values(device, 3 * dim, 0.02F);
  const Buffer keys = normal_values(device, text * 3 * dim, 1);
  const Buffer y = device.allocate(tokens * 3 * dim * 2, "results");
  const Buffer small = device.allocate(std::max(tokens * head_dim, dim) * 4, "vectors");
  Ops& ops = device.ops();

  const auto report = [&](const char* what, double flop, const std::function<void()>& work) {
    const double seconds = seconds_of(device, StreamId::compute, warm, runs, work);
    std::printf("%lld rows: %-38s %8.3f ms", static_cast<long long>(tokens), what, seconds * 1e3);
    if (flop > 0) std::printf(", %.0f TFLOP/s", flop / seconds / 1e12);
    std::printf("\n");
    std::fflush(stdout);
    return seconds;
  };
  const auto product = [&](const char* what, int64_t n, int64_t k, Activation activation) {
    return report(what, 2.0 * static_cast<double>(tokens * n) * static_cast<double>(k), [&, n, k, activation] {
      ops.linear({DType::bf16,
                  x.data(),
                  {w.data(), DType::bf16},
                  {bias.data(), DType::bf16},
                  y.data(),
                  tokens,
                  n,
                  k,
                  activation});
    });
  };
  const auto attention = [&](const char* what, Rows q, Rows k, Rows v, int64_t kv_rows) {
    return report(what, 4.0 * static_cast<double>(tokens * kv_rows) * static_cast<double>(dim), [&, q, k, v, kv_rows] {
      ops.attention({DType::bf16, q, k, v, y.data(), nullptr, tokens, kv_rows, heads, head_dim});
    });
  };

  const double qkv = product("q, k and v 15360 x 5120", 3 * dim, dim, Activation::none);
  const double out = product("out 5120 x 5120", dim, dim, Activation::none);
  const double ffn_in = product("ffn in 13824 x 5120, GELU", inner, dim, Activation::gelu_tanh);
  const double ffn_out = product("ffn out 5120 x 13824", dim, inner, Activation::none);
  const int64_t row = dim * 2;  // bytes
  const double self = attention("self-attention, rows 3 x 5120 apart", {x.data(), 3 * dim}, {x.data() + row, 3 * dim},
                                {x.data() + 2 * row, 3 * dim}, tokens);
  attention("self-attention, rows 5120 apart", {x.data(), dim}, {x.data() + tokens * row, dim},
            {x.data() + 2 * tokens * row, dim}, tokens);
  const double cross = attention("cross-attention, 512 keys", {x.data(), dim}, {keys.data(), dim},
                                 {keys.data() + text * row, 2 * dim}, text);
  auto* f32 = reinterpret_cast<float*>(small.data());
  const Weight vector{f32, DType::f32}, norm{bias.data(), DType::bf16};
  const double elementwise = report("norms, RoPE, gates", 0, [&] {
    for (int i = 0; i < 3; ++i) {
      ops.layer_norm({DType::bf16, x.data(), vector, 1, vector, y.data(), tokens, dim, 1e-6F});
      ops.add_gated(DType::bf16, y.data(), x.data(), f32, tokens, dim);
    }
    ops.split_qkv(
        {DType::bf16, y.data(), norm, norm, f32, nullptr, nullptr, nullptr, {}, tokens, heads, head_dim, 1e-6F});
    ops.rms_norm(DType::bf16, x.data(), dim, norm, y.data(), tokens, dim, 1e-6F);
  });
  const double products = qkv + 3 * out + ffn_in + ffn_out;
  std::printf("%lld rows: a forward of %lld blocks: products %.3f, attention %.3f, the rest %.3f, together %.3f s\n",
              static_cast<long long>(tokens), static_cast<long long>(blocks), blocks * products,
              blocks * (self + cross), blocks * elementwise, blocks * (products + self + cross + elementwise));
}

}  // namespace

int main() {
  try {
    const auto device = open_cuda_device({});
    measure_bandwidths(*device);
    for (const int64_t tokens : {rows, int64_t{75600}}) measure_forward(*device, tokens);
  } catch (const Error& error) {
    std::fprintf(stderr, "cuda_bandwidth: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
