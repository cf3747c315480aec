// Compares trajectories: the tensors of all steps of one run with those of another.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "worker/weights/safetensors.h"

namespace wansweep::test {

inline std::vector<float> values_of(const SafetensorsFile& file, const std::string& name) {
  const TensorView& view = file.find(name);
  std::vector<float> values(static_cast<size_t>(view.values()));
  convert_to_f32(view, values.data());
  return values;
}

// Largest relative L2 error over the steps of two stacked tensors.
inline double worst_step_error(const std::vector<float>& ours, const std::vector<float>& theirs, size_t steps) {
  EXPECT_EQ(ours.size(), theirs.size());
  const size_t values = theirs.size() / steps;
  double worst = 0;
  for (size_t step = 0; step < steps; ++step) {
    double difference = 0, norm = 0;
    for (size_t i = step * values; i < (step + 1) * values; ++i) {
      difference += std::pow(double{ours[i]} - theirs[i], 2);
      norm += std::pow(double{theirs[i]}, 2);
    }
    const double error = std::sqrt(difference / norm);
    if (!(error <= worst)) worst = error;  // a NaN counts as worst
  }
  return worst;
}

}  // namespace wansweep::test
