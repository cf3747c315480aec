#include "worker/probe/timer.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace wansweep {

namespace {

constexpr double round_s = 0.03;  // that a repeat of short work should take: far more than ranks differ in starting
constexpr int most_pieces = 2000;
constexpr int most_beside = 20'000;
constexpr size_t least_repeats = 3;
constexpr size_t most_repeats = 400;

double seconds_between(int64_t start, int64_t end) { return std::max(1e-9, static_cast<double>(end - start) / 1e9); }

}  // namespace

Timer::Timer(MpiWorld& world, Device& device, double seconds)
    : world_(world), device_(device), seconds_(seconds), since_(monotonic_ns()) {}

double Timer::elapsed() { return world_.most(seconds_between(since_, monotonic_ns())); }

double Timer::left() { return seconds_ - elapsed(); }

Timer::Round Timer::round(const Work& work, int pieces, int beside) {
  world_.any(false);  // all begin together
  for (int i = 0; i < beside; ++i) work.beside.enqueue();
  const Event start = device_.record(work.stream);
  for (int i = 0; i < pieces; ++i) work.enqueue();
  const Event end = device_.record(work.stream);
  const Event beside_end = device_.record(work.beside.stream);
  device_.synchronize();
  const bool ended_early = beside > 0 && device_.time_ns(beside_end) < device_.time_ns(end);
  return {world_.most(seconds_between(device_.time_ns(start), device_.time_ns(end))), !world_.any(ended_early)};
}

double Timer::once(const Work& work) { return round(work, 1, 0).seconds; }

std::vector<double> Timer::repeat(const Work& work, double share) {
  once(work);
  const double one = once(work);
  const double wanted = std::min(round_s, share / static_cast<double>(2 * least_repeats));
  const int pieces = std::clamp(static_cast<int>(std::ceil(wanted / one)), 1, most_pieces);
  if (!work.beside.enqueue) {
    return collect([&] { return round(work, pieces, 0).seconds / pieces; }, one * pieces, share);
  }
  // Work takes longer beside other work: as long again until that lasts.
  double beside = 2 + 1.5 * pieces * one / work.beside.seconds;
  for (; beside <= most_beside; beside *= 1.7) {
    if (round(work, pieces, static_cast<int>(beside)).covered) break;
  }
  if (beside > most_beside) return {};
  const auto repeat = [&] {
    for (;; beside *= 1.3) {
      const Round measured = round(work, pieces, static_cast<int>(beside));
      if (measured.covered || beside > most_beside) return measured.seconds / pieces;
    }
  };
  return collect(repeat, beside * work.beside.seconds, share);
}

std::vector<double> Timer::repeat_on_host(const std::function<void()>& work, double share) {
  const auto seconds = [&] {
    world_.any(false);
    const int64_t since = monotonic_ns();
    work();
    return world_.most(seconds_between(since, monotonic_ns()));
  };
  const double expected = seconds();
  return collect(seconds, expected, share);
}

std::vector<double> Timer::collect(const std::function<double()>& repeat, double expected, double share) {
  const double until = std::min(elapsed() + share, seconds_);
  std::vector<double> seconds;
  for (double now = elapsed(); seconds.size() < most_repeats; now = elapsed()) {
    const double bound = seconds.size() < least_repeats ? seconds_ : until;
    if (!seconds.empty() && now + expected > bound) break;
    seconds.push_back(repeat());
  }
  return seconds;
}

}  // namespace wansweep
