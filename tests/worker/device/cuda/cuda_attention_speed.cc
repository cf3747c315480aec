// Prints one line for each attention kernel of every library: its milliseconds, TFLOP/s, the GPU's clock and the power
// that it drew, under load, at the sizes of A14B.
// They are measured over the second half of some seconds in which nothing else runs. First all kernels run for a
// moment; those that are nearly the fastest of their library then run under load.
//
//   cuda_attention_speed [SECONDS]   of load for each, by default 3

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "base/float_formats.h"
#include "worker/device/cuda/attention.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/cuda_device_impl.h"
#include "worker/weights/random_values.h"

namespace {

using namespace wansweep;

constexpr double nearly = 1.04;  // of the fastest of its library
constexpr size_t most_under_load = 2;
constexpr double moment_s = 0.25;

struct Measured {
  double ms = 0, watts = 0, mhz = 0;
};

Buffer normal_values(Device& device, int64_t n) {
  const int64_t drawn = std::min(n, int64_t{1} << 24);
  std::vector<float> values(static_cast<size_t>(drawn));
  fill_normal(1, "attention", 0, values, 1);
  std::vector<uint16_t> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), f32_to_bf16);
  Buffer buffer = device.allocate(n * 2, "values");
  for (int64_t at = 0; at < n; at += drawn) {
    device.copy_in(StreamId::compute, buffer.data() + at * 2, rounded.data(), std::min(drawn, n - at) * 2);
  }
  device.synchronize();
  return buffer;
}

Measured measure(Device& device, AttentionKernel& kernel, const AttentionOperands& operands, double seconds) {
  const auto launch = [&](int count) {
    const Event start = device.record(StreamId::compute);
    for (int i = 0; i < count; ++i) {
      const std::string failure = kernel.launch(operands);
      if (!failure.empty()) throw Error(ExitCode::internal, failure);
    }
    const Event end = device.record(StreamId::compute);
    device.synchronize(end);
    return static_cast<double>(device.time_ns(end) - device.time_ns(start)) / 1e9;
  };
  launch(1);
  const double once = launch(2) / 2;
  const int half = std::max(2, static_cast<int>(seconds / 2 / once));
  launch(half);
  // The clock is read while the GPU works: a piece of the work is always under way.
  const std::optional<DevicePower> before = device.power();
  double taken = 0, clocks = 0;
  constexpr int pieces = 4;
  for (int piece = 0; piece < pieces; ++piece) {
    taken += launch(std::max(1, half / pieces));
    if (const std::optional<DevicePower> now = device.power()) clocks += now->sm_clock_mhz;
  }
  const std::optional<DevicePower> after = device.power();
  Measured result{.ms = taken * 1e3 / (pieces * std::max(1, half / pieces)), .mhz = clocks / pieces};
  if (before && after) result.watts = static_cast<double>(after->energy_mj - before->energy_mj) / 1e3 / taken;
  return result;
}

void compare(CudaDevice& device, const AttentionShape& shape, double seconds) {
  const Buffer q = normal_values(device, shape.q_rows * shape.q_stride);
  const Buffer k = normal_values(device, shape.kv_rows * shape.k_stride);
  const int64_t dim = int64_t{shape.heads} * shape.head_dim;
  const bool joined = shape.q_stride >= 3 * dim;  // q, k and v side by side
  const Buffer v = joined ? Buffer() : normal_values(device, shape.kv_rows * shape.v_stride);
  const Buffer out = device.allocate(shape.q_rows * dim * 2, "result");
  const Buffer lse = device.allocate(shape.q_rows * shape.heads * 4, "log-sum-exps");
  const AttentionOperands operands{q.data(), joined ? q.data() + dim * 2 : k.data(),
                                   joined ? q.data() + 2 * dim * 2 : v.data(), out.data(),
                                   shape.lse ? reinterpret_cast<float*>(lse.data()) : nullptr};
  const double flop =
      4.0 * static_cast<double>(shape.q_rows) * static_cast<double>(shape.kv_rows) * static_cast<double>(dim);
  std::printf("%s\n", describe(shape).c_str());
  for (const auto& library :
       open_attention_libraries(device, device.stream(StreamId::compute), device.properties()).libraries) {
    std::vector<std::pair<double, std::string>> order;
    for (const std::string& name : library->kernels(shape)) {
      const std::unique_ptr<AttentionKernel> kernel = library->prepare(shape, name);
      if (!kernel) continue;
      const double ms = measure(device, *kernel, operands, moment_s).ms;
      std::printf("  a moment    %9.3f ms  %s\n", ms, name.c_str());
      std::fflush(stdout);
      order.emplace_back(ms, name);
    }
    std::sort(order.begin(), order.end());
    for (size_t i = 0; i < std::min(order.size(), most_under_load); ++i) {
      if (order[i].first > nearly * order[0].first) break;
      const Measured m = measure(device, *library->prepare(shape, order[i].second), operands, seconds);
      std::printf("  under load  %9.3f ms  %4.0f TFLOP/s  %4.0f MHz  %3.0f W  %s\n", m.ms, flop / m.ms / 1e9, m.mhz,
                  m.watts, order[i].second.c_str());
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
    const auto opened = open_cuda_device({});
    auto& device = static_cast<CudaDevice&>(*opened);
    std::printf("%s\n", device.describe_json().c_str());
    constexpr int64_t dim = 40 * 128;
    for (const int64_t rows : {int64_t{32760}, int64_t{75600}}) {
      compare(device, {rows, rows, 3 * dim, 3 * dim, 3 * dim, 40, 128, false}, seconds);
    }
    compare(device, {32760, 32760, 1280, 1280, 1280, 10, 128, false}, seconds);
    compare(device, {32760, 512, dim, dim, 2 * dim, 40, 128, false}, seconds);
    compare(device, {16380, 16380, 2560, 2560, 2560, 20, 128, true}, seconds);
    compare(device, {32760, 32760, 640, 640, 640, 5, 128, false}, seconds);
  } catch (const Error& error) {
    std::fprintf(stderr, "cuda_attention_speed: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
