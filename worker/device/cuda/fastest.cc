#include "worker/device/cuda/fastest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

constexpr float of_the_best = 1.1F;    // only candidates within 10 % of the best are tried under load,
constexpr size_t most_under_load = 5;  // and at most so many
constexpr float moment_ms = 30;        // time of launches in the first round
constexpr int most_in_a_moment = 3;
constexpr float load_ms = 400;  // time of launches under load; the clock settles after about half of it

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

// Mean milliseconds of `runs` launches after `warm` others; infinite when a launch fails.
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
  std::vector<std::pair<float, size_t>> looks;
  for (size_t i = 0; i < count; ++i) {
    const auto same = [&] { return launch(i); };
    const float once = mean_ms(stream, watch, 0, 1, same);  // also loads the kernel
    const int runs = std::clamp(static_cast<int>(moment_ms / once), 1, most_in_a_moment);
    const float ms = mean_ms(stream, watch, 0, std::isfinite(once) ? runs : 1, same);
    if (std::isfinite(ms)) looks.emplace_back(ms, i);
  }
  if (looks.empty()) return 0;
  std::sort(looks.begin(), looks.end());
  looks.resize(std::min(looks.size(), most_under_load));

  float best = INFINITY;
  size_t choice = looks.front().second;
  for (const auto& [alone, i] : looks) {
    if (alone > looks.front().first * of_the_best) break;
    const int half = std::max(1, static_cast<int>(load_ms / 2 / alone));
    const float ms = mean_ms(stream, watch, half, half, [&, i = i] { return launch(i); });
    if (ms < best) {
      best = ms;
      choice = i;
    }
  }
  return choice;
}

}  // namespace wansweep
