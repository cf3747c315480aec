#include "worker/device/cuda/fastest.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

constexpr int tries = 5;

struct Events {
  Events() {
    for (cudaEvent_t& event : at) cudaCheck(cudaEventCreate(&event));
  }
  ~Events() {
    for (cudaEvent_t event : at) cudaEventDestroy(event);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  std::array<cudaEvent_t, tries + 1> at{};
};

}  // namespace

size_t fastest(cudaStream_t stream, size_t count, const std::function<bool(size_t)>& launch) {
  const Events events;
  float best = INFINITY;
  size_t choice = 0;
  for (size_t candidate = 0; candidate < count; ++candidate) {
    bool works = launch(candidate);  // warms up, too
    if (!works) continue;
    cudaCheck(cudaEventRecord(events.at[0], stream));
    for (size_t i = 1; i <= tries; ++i) {
      works = works && launch(candidate);
      cudaCheck(cudaEventRecord(events.at[i], stream));
    }
    cudaCheck(cudaEventSynchronize(events.at[tries]));
    std::array<float, tries> ms{};
    for (size_t i = 0; i < tries; ++i) cudaCheck(cudaEventElapsedTime(&ms[i], events.at[i], events.at[i + 1]));
    std::sort(ms.begin(), ms.end());
    if (works && ms[tries / 2] < best) {
      best = ms[tries / 2];
      choice = candidate;
    }
  }
  return choice;
}

}  // namespace wansweep
