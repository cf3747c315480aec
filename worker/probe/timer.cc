#include "worker/probe/timer.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace wansweep {

namespace {

constexpr double round_s = 0.03;  // how long a repeat of short work takes: far longer than the ranks' starts differ
constexpr int most_pieces = 2000;
constexpr double most_beside = 20'000;
constexpr double patience = 4;  // how many shares of time the work beside may take before the timer gives up
constexpr size_t least_repeats = 3;
constexpr size_t most_repeats = 400;

double seconds_between(int64_t start, int64_t end) { return std::max(1e-9, static_cast<double>(end - start) / 1e9); }

}  // namespace

Timer::Timer(MpiWorld& world, Device& device, double seconds)
    : world_(world), device_(device), seconds_(seconds), since_(monotonic_ns()) {}

double Timer::elapsed() { return world_.most(seconds_between(since_, monotonic_ns())); }

double Timer::left() { return seconds_ - elapsed(); }

Timer::Round Timer::round(const Work& work, int pieces, int beside) {
  world_.any(false);  // makes all ranks begin together
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
  double one = once(work);
  const double wanted = std::min(round_s, share / static_cast<double>(2 * least_repeats));
  const auto pieces_in = [&] { return std::clamp(static_cast<int>(std::ceil(wanted / one)), 1, most_pieces); };
  if (!work.beside.enqueue) {
    const int pieces = pieces_in();
    return collect([&] { return round(work, pieces, 0).seconds / pieces; }, one * pieces, share);
  }
  // Work takes longer beside other work. One piece tells how much longer; from that follows how much other work must be
  // enqueued, and more is enqueued until it lasts as long as the measured work.
  const double most = std::min(most_beside, (patience * share + round_s) / work.beside.seconds);
  const auto lasting = [&](double seconds) { return std::min(most, 2 + 1.5 * seconds / work.beside.seconds); };
  one = round(work, 1, static_cast<int>(std::ceil(lasting(one)))).seconds;
  const int pieces = pieces_in();
  double beside = lasting(pieces * one);
  const auto repeat = [&]() -> double {
    for (; beside <= most; beside *= 1.5) {
      const Round measured = round(work, pieces, static_cast<int>(std::ceil(beside)));
      if (measured.covered) return measured.seconds / pieces;
    }
    return 0;
  };
  repeat();
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

// Collects repeats for about `share` seconds. `repeat` returns 0 when it can measure no more, which ends them.
std::vector<double> Timer::collect(const std::function<double()>& repeat, double expected, double share) {
  const double until = std::min(elapsed() + share, seconds_);
  std::vector<double> seconds;
  for (double now = elapsed(); seconds.size() < most_repeats; now = elapsed()) {
    const double bound = seconds.size() < least_repeats ? seconds_ : until;
    if (!seconds.empty() && now + expected > bound) break;
    const double measured = repeat();
    if (measured <= 0) break;
    seconds.push_back(measured);
  }
  return seconds;
}

}  // namespace wansweep
