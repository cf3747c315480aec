// How long a piece of the loop's work takes, by all ranks together: repeated within a share of the probe's time.
//
// Ranks begin each repeat together, and the slowest one's time counts, so that all of them go on or stop alike. Every
// call is collective, and gives the same on all ranks.
#pragma once

#include <functional>
#include <vector>

#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"

namespace wansweep {

// What keeps another stream busy meanwhile: `enqueue` once a piece, as often as it takes.
struct BesideWork {
  StreamId stream = StreamId::copy;
  std::function<void()> enqueue;  // null: there is none
  double seconds = 0;             // that a piece takes alone
};

// What is measured: `enqueue` puts it on `stream` once. A rank that has no part in it leaves `enqueue` without effect.
struct Work {
  StreamId stream = StreamId::compute;
  std::function<void()> enqueue;
  BesideWork beside = {};
};

class Timer {
 public:
  // `seconds`: that the whole probe may take, from now.
  Timer(MpiWorld& world, Device& device, double seconds);

  double elapsed();
  double left();

  // Seconds of one piece of work, a value a repeat, for about `share` seconds: three values at least while the probe's
  // time is not over. A repeat enqueues short work many times and divides. The first two rounds do not count: libraries
  // try algorithms, and caches are cold. Empty when nothing can keep `beside` busy long enough.
  std::vector<double> repeat(const Work& work, double share);
  // The same for work of the host, by the wall clock; one round is not counted.
  std::vector<double> repeat_on_host(const std::function<void()>& work, double share);
  // One uncounted look, to find out how much fits into a share.
  double once(const Work& work);

 private:
  struct Round {
    double seconds = 0;    // of all its pieces
    bool covered = false;  // `beside` lasted to its end
  };
  Round round(const Work& work, int pieces, int beside);
  std::vector<double> collect(const std::function<double()>& repeat, double expected, double share);

  MpiWorld& world_;
  Device& device_;
  double seconds_;
  int64_t since_;
};

}  // namespace wansweep
