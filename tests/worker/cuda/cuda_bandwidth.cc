// Prints what share of the GPU's own copy bandwidth each kernel of the CUDA backend reaches, at the sizes of A14B at
// 480p, 81 frames; and the rates of the host link. One line each.

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <vector>

#include "schema/error.h"
#include "worker/device/cuda/cuda_device.h"

namespace {

using namespace wansweep;

constexpr int64_t rows = 32760, heads = 40, head_dim = 128, dim = heads * head_dim;
constexpr int64_t gibibyte = int64_t{1} << 30;

// Bytes a second, by the median of some runs.
double rate(Device& device, StreamId stream, int64_t bytes, const std::function<void()>& work) {
  constexpr int warm = 3, runs = 15;
  for (int i = 0; i < warm; ++i) work();
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
  return static_cast<double>(bytes) * 1e9 / static_cast<double>(times[runs / 2]);
}

void measure(Device& device) {
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
  report("LayerNorm + modulation", 2 * matrix,
         [&] { ops.layer_norm(DType::bf16, a.data(), vector, 1, vector, b.data(), rows, dim, 1e-6F); });
  report("RMSNorm", 2 * matrix, [&] { ops.rms_norm(DType::bf16, a.data(), dim, norm, b.data(), rows, dim, 1e-6F); });
  report("RMSNorm + RoPE in place", 4 * matrix, [&] {
    ops.split_qkv(DType::bf16, a.data(), norm, norm, f32, nullptr, nullptr, nullptr, {}, rows, heads, head_dim, 1e-6F);
  });
  const std::array<int, 4> parts{10, 10, 10, 10};
  report("RMSNorm + RoPE + head layout", 6 * matrix, [&] {
    ops.split_qkv(DType::bf16, a.data(), norm, norm, f32, b.data(), b.data() + matrix, b.data() + 2 * matrix, {parts},
                  rows, heads, head_dim, 1e-6F);
  });
  report("heads together", 2 * matrix,
         [&] { ops.merge_heads(DType::bf16, a.data(), {parts}, b.data(), rows, head_dim); });
  report("gate + residual", 3 * matrix, [&] { ops.add_gated(DType::bf16, a.data(), b.data(), f32, rows, dim); });
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
  // At the loop's size it lies in the cache; at sixteen times that, in memory.
  const int64_t n = 16 * tokens;
  report("guidance + UniPC, 16 x 480p", n * (2 * 2 + 9 * 4), [&] {
    ops.unipc_step(DType::bf16, step, a.data(), a.data() + 2 * n, state, state + n, state + 2 * n, state + 3 * n,
                   reinterpret_cast<float*>(a.data() + 4 * n), n);
  });

  const Buffer host = device.allocate_host(gibibyte, HostMemory::pinned, "host");
  const Buffer room = device.allocate(gibibyte, "room");
  const double in = rate(device, StreamId::copy, gibibyte,
                         [&] { device.copy_in(StreamId::copy, room.data(), host.data(), gibibyte); });
  const double out = rate(device, StreamId::copy, gibibyte,
                          [&] { device.copy_out(StreamId::copy, host.data(), room.data(), gibibyte); });
  std::printf("host to device %.1f GB/s, device to host %.1f GB/s\n", in / 1e9, out / 1e9);
}

}  // namespace

int main() {
  try {
    measure(*open_cuda_device({}));
  } catch (const Error& error) {
    std::fprintf(stderr, "cuda_bandwidth: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
