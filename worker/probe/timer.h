// Measures how long a piece of the loop's work takes when all ranks do it together. The work is repeated for a share of
// the probe's time.
//
// The ranks begin each repeat together, and the times of the slowest and of the fastest rank count. Every call is
// collective, and returns the same on all ranks, so that all of them go on or stop alike.
#pragma once

#include <functional>
#include <vector>

#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"

namespace wansweep {

// Work that keeps another stream busy during a measurement. `enqueue` puts one piece of it on `stream`; it is called as
// often as needed to last until the measured work ends.
struct BesideWork {
  StreamId stream = StreamId::copy;
  std::function<void()> enqueue;  // null: nothing runs beside the measured work
  double seconds = 0;             // how long one piece takes alone
};

// The work that is measured. `enqueue` puts one piece of it on `stream`. On a rank that takes no part in the work,
// `enqueue` does nothing.
struct Work {
  StreamId stream = StreamId::compute;
  std::function<void()> enqueue;
  BesideWork beside = {};
};

// Seconds of one piece of work, a value for each repeat.
struct RankSeconds {
  std::vector<double> slowest, fastest;  // of the slowest and of the fastest rank; as many values in both
};

class Timer {
 public:
  // `seconds`: how long the whole probe may take, from now on.
  Timer(MpiWorld& world, Device& device, double seconds);

  double elapsed();
  double left();

  struct Took {
    double slowest = 0, fastest = 0;  // seconds of the slowest and of the fastest rank
  };
  // What this and the other ranks took, each of which gives its own seconds.
  Took over_ranks(double seconds);

  // Repeats the work for about `share` seconds, and returns the seconds of one piece, a value for each repeat: at least
  // three values, unless the probe's time runs out. Where a piece is short, one repeat enqueues many and divides the
  // time by their number. The first two rounds do not count: libraries still try algorithms, and caches are cold. The
  // result is empty when `work.beside` cannot be made to last as long as the work.
  RankSeconds repeat(const Work& work, double share);
  // The same for work that the host thread does, by the wall clock. The first round does not count.
  RankSeconds repeat_on_host(const std::function<void()>& work, double share);
  // The slowest rank's seconds of one piece without repeats, from which a caller works out how much fits into a share.
  double once(const Work& work);

 private:
  struct Round {
    Took seconds;          // all of its pieces together
    bool covered = false;  // the work beside it lasted to its end
  };
  Round round(const Work& work, int pieces, int beside);
  RankSeconds collect(const std::function<Took()>& repeat, double expected, double share);

  MpiWorld& world_;
  Device& device_;
  double seconds_;
  int64_t since_;
};

}  // namespace wansweep
