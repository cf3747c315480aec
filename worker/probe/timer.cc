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
  return {over_ranks(seconds_between(device_.time_ns(start), device_.time_ns(end))), !world_.any(ended_early)};
}

Timer::Took Timer::over_ranks(double seconds) { return {world_.most(seconds), -world_.most(-seconds)}; }

double Timer::once(const Work& work) { return round(work, 1, 0).seconds.slowest; }

RankSeconds Timer::repeat(const Work& work, double share) {
  once(work);
  double one = once(work);
  const double wanted = std::min(round_s, share / static_cast<double>(2 * least_repeats));
  const auto one_of = [](const Took& all, int pieces) { return Took{all.slowest / pieces, all.fastest / pieces}; };
  const auto pieces_in = [&] { return std::clamp(static_cast<int>(std::ceil(wanted / one)), 1, most_pieces); };
  if (!work.beside.enqueue) {
    const int pieces = pieces_in();
    return collect([&] { return one_of(round(work, pieces, 0).seconds, pieces); }, one * pieces, share);
  }
  // Work takes longer beside other work. One piece tells how much longer; from that follows how much other work must be
  // enqueued, and more is enqueued until it lasts as long as the measured work.
  const double most = std::min(most_beside, (patience * share + round_s) / work.beside.seconds);
  const auto lasting = [&](double seconds) { return std::min(most, 2 + 1.5 * seconds / work.beside.seconds); };
  one = round(work, 1, static_cast<int>(std::ceil(lasting(one)))).seconds.slowest;
  const int pieces = pieces_in();
  double beside = lasting(pieces * one);
  const auto repeat = [&]() -> Took {
    for (; beside <= most; beside *= 1.5) {
      const Round measured = round(work, pieces, static_cast<int>(std::ceil(beside)));
      if (measured.covered) return one_of(measured.seconds, pieces);
    }
    return {};
  };
  repeat();
  return collect(repeat, beside * work.beside.seconds, share);
}

RankSeconds Timer::repeat_on_host(const std::function<void()>& work, double share) {
  const auto seconds = [&] {
    world_.any(false);
    const int64_t since = monotonic_ns();
    work();
    return over_ranks(seconds_between(since, monotonic_ns()));
  };
  const double expected = seconds().slowest;
  return collect(seconds, expected, share);
}

// Collects repeats for about `share` seconds. `repeat` returns 0 when it can measure no more, which ends them.
RankSeconds Timer::collect(const std::function<Took()>& repeat, double expected, double share) {
  const double until = std::min(elapsed() + share, seconds_);
  RankSeconds seconds;
  for (double now = elapsed(); seconds.slowest.size() < most_repeats; now = elapsed()) {
    const double bound = seconds.slowest.size() < least_repeats ? seconds_ : until;
    if (!seconds.slowest.empty() && now + expected > bound) break;
    const Took measured = repeat();
    if (measured.slowest <= 0) break;
    seconds.slowest.push_back(measured.slowest);
    seconds.fastest.push_back(measured.fastest);
  }
  return seconds;
}

}  // namespace wansweep
