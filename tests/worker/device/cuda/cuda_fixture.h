// A GPU, and the CPU backend beside it as the reference; without a GPU the tests are skipped.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/float_formats.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/cuda/cuda_device.h"

namespace wansweep::test {

using Floats = std::vector<float>;

inline std::unique_ptr<Device> open_gpu() {
  try {
    return open_cuda_device({});
  } catch (const Error& error) {
    if (error.code() != ExitCode::device_unavailable) throw;
    return nullptr;
  }
}

// Values on the GPU. They end where their allocation ends, so that a memory checker sees an access behind them.
class OnGpu {
 public:
  OnGpu(Device& device, DType type, int64_t n) : device_(device), type_(type), n_(n) {
    constexpr int64_t piece = int64_t{2} << 20;  // what the device's memory is handed out in
    const int64_t whole = (std::max<int64_t>(bytes(), 1) + piece - 1) / piece * piece;
    buffer_ = device.allocate(whole, "a test's values");
    data_ = buffer_.data() + whole - bytes();
  }
  OnGpu(Device& device, DType type, const Floats& values) : OnGpu(device, type, static_cast<int64_t>(values.size())) {
    std::vector<std::byte> raw(static_cast<size_t>(bytes()));
    for (size_t i = 0; i < values.size(); ++i) {
      if (type_ == DType::f32) {
        std::memcpy(&raw[i * 4], &values[i], 4);
      } else {
        const uint16_t half = type_ == DType::bf16 ? f32_to_bf16(values[i]) : f32_to_f16(values[i]);
        std::memcpy(&raw[i * 2], &half, 2);
      }
    }
    device_.copy_in(StreamId::compute, data_, raw.data(), bytes());
    device_.synchronize();
  }
  ~OnGpu() {
    try {
      device_.synchronize();  // what was enqueued with these values is over
    } catch (const Error&) {
      // values() says it.
    }
  }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  void* data() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }
  Weight weight() const { return {data_, type_}; }

  Floats values() const {
    std::vector<std::byte> raw(static_cast<size_t>(bytes()));
    device_.copy_out(StreamId::compute, raw.data(), data_, bytes());
    device_.synchronize();
    Floats values(static_cast<size_t>(n_));
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t half = 0;
      if (type_ == DType::f32) {
        std::memcpy(&values[i], &raw[i * 4], 4);
      } else {
        std::memcpy(&half, &raw[i * 2], 2);
        values[i] = type_ == DType::bf16 ? bf16_to_f32(half) : f16_to_f32(half);
      }
    }
    return values;
  }

 private:
  int64_t bytes() const { return n_ * size_of(type_); }

  Device& device_;
  DType type_;
  int64_t n_;
  Buffer buffer_;
  std::byte* data_ = nullptr;
};

class CudaTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared_gpu() = open_gpu(); }
  static void TearDownTestSuite() { shared_gpu().reset(); }
  void SetUp() override {
    if (!shared_gpu()) GTEST_SKIP() << "no GPU here";
  }

  static Device& gpu() { return *shared_gpu(); }
  static Ops& ops() { return gpu().ops(); }
  Ops& reference() { return cpu_->ops(); }
  void finish_reference() { cpu_->synchronize(); }

  // Normally distributed, and exactly what `type` can hold, so that both backends see the same input.
  Floats random(DType type, int64_t n, double scale = 1) {
    std::normal_distribution<float> normal(0, static_cast<float>(scale));
    Floats values(static_cast<size_t>(n));
    for (float& value : values) {
      value = normal(generator_);
      if (type == DType::bf16) value = bf16_to_f32(f32_to_bf16(value));
    }
    return values;
  }
  OnGpu put(DType type, const Floats& values) { return {gpu(), type, values}; }
  OnGpu room(DType type, int64_t n) { return {gpu(), type, n}; }

 private:
  static std::unique_ptr<Device>& shared_gpu() {
    static std::unique_ptr<Device> gpu;
    return gpu;
  }

  std::mt19937 generator_{7};
  std::unique_ptr<CpuDevice> cpu_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
};

inline Weight weight(const Floats& values) { return {values.data(), DType::f32}; }

// The error that rounding to `type` and sums in another order may cause, as a part of the largest value.
inline double bar(DType type) { return type == DType::f32 ? 2e-5 : 1e-2; }
inline const char* name(DType type) { return type == DType::f32 ? "f32" : "bf16"; }

// The largest difference, as a part of the largest value; a NaN or another size counts as infinite.
inline double difference(const Floats& got, const Floats& want) {
  if (got.size() != want.size()) return INFINITY;
  double most = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i]) continue;  // infinities, too
    const double error = std::abs(double{got[i]} - want[i]);
    if (!(error <= most)) most = std::isnan(error) ? INFINITY : error;
  }
  for (const float value : want) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(double{value}));
  }
  return largest > 0 ? most / largest : most;
}

}  // namespace wansweep::test
