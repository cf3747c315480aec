#include "worker/device/cuda/fastest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

constexpr float of_the_best = 1.15F;  // slower ones are not tried under load
constexpr float load_ms = 400;        // after about half of it, the clock has settled

// Milliseconds between events on a stream.
class Stopwatch {
 public:
  Stopwatch() {
    for (cudaEvent_t& event : at_) cudaCheck(cudaEventCreate(&event));
  }
  ~Stopwatch() {
    for (cudaEvent_t event : at_) cudaEventDestroy(event);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  void start(cudaStream_t stream) { cudaCheck(cudaEventRecord(at_[0], stream)); }
  float stop(cudaStream_t stream) {
    cudaCheck(cudaEventRecord(at_[1], stream));
    cudaCheck(cudaEventSynchronize(at_[1]));
    float ms = 0;
    cudaCheck(cudaEventElapsedTime(&ms, at_[0], at_[1]));
    return ms;
  }

 private:
  std::array<cudaEvent_t, 2> at_{};
};

// Mean milliseconds of `runs` launches after `warm` others; infinite when one does not work.
float mean_ms(cudaStream_t stream, Stopwatch& watch, int warm, int runs, const std::function<bool()>& launch) {
  bool works = true;
  for (int i = 0; i < warm && works; ++i) works = launch();
  watch.start(stream);
  for (int i = 0; i < runs && works; ++i) works = launch();
  const float ms = watch.stop(stream);
  return works ? ms / static_cast<float>(runs) : INFINITY;
}

}  // namespace

size_t fastest(cudaStream_t stream, size_t count, const std::function<bool(size_t)>& launch) {
  Stopwatch watch;
  std::vector<float> alone(count);
  for (size_t i = 0; i < count; ++i) alone[i] = mean_ms(stream, watch, 1, 3, [&] { return launch(i); });
  const float limit = *std::min_element(alone.begin(), alone.end()) * of_the_best;
  if (!std::isfinite(limit)) return 0;

  float best = INFINITY;
  size_t choice = 0;
  for (size_t i = 0; i < count; ++i) {
    if (alone[i] > limit) continue;
    const int half = std::max(2, static_cast<int>(load_ms / 2 / alone[i]));
    const float ms = mean_ms(stream, watch, half, half, [&] { return launch(i); });
    if (ms < best) {
      best = ms;
      choice = i;
    }
  }
  return choice;
}

}  // namespace wansweep
