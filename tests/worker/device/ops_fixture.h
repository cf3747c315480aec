// A CPU device and random inputs for the tests of operations.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "worker/device/cpu/cpu_device.h"

namespace wansweep {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

class OpsTest : public testing::Test {
 protected:
  Floats random(int64_t n, double scale = 1) {
    std::normal_distribution<float> normal(0, static_cast<float>(scale));
    Floats values(static_cast<size_t>(n));
    for (float& value : values) value = normal(generator_);
    return values;
  }
  Ops& ops() { return device_->ops(); }
  void finish() { device_->synchronize(); }

 private:
  std::mt19937 generator_{7};
  std::unique_ptr<CpuDevice> device_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
};

inline Weight weight(const Floats& values) { return {values.data(), DType::f32}; }

// The largest difference; a NaN or another size counts as infinite.
inline double distance(const Floats& got, const Doubles& want) {
  if (got.size() != want.size()) return INFINITY;
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(got[i] - want[i]);
    if (!(difference <= most)) most = std::isnan(difference) ? INFINITY : difference;
  }
  return most;
}

}  // namespace wansweep
