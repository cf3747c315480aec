// Ends a run in which no step ends any more: a rank that is stopped or hangs leaves the others waiting in MPI or on
// their devices for ever. A thread of its own looks, so that it works whatever the main thread waits for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "worker/comm/heartbeats.h"
#include "worker/stall.h"

namespace wansweep {

// How long a run may end no step: `step_timeout`, or where that is 0, ten times the slowest step so far and at least
// ten minutes.
double step_limit_s(double step_timeout, double slowest_s);

class Watchdog {
 public:
  // Called on the watchdog's thread, once, when the run has stalled. `speaks`: this process is the one of its node that
  // says so.
  using EndRun = std::function<void(const Stall& stall, bool speaks)>;

  // `ranks`: of the whole run. `step_timeout`: see step_limit_s.
  Watchdog(Heartbeats heartbeats, int ranks, double step_timeout, EndRun end_run);
  ~Watchdog();  // stops looking
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The run's main thread says where it is. `expected_step_s` stands for the slowest step before the first has ended.
  void begin_steps(double expected_step_s);
  void step_ended();
  void end_steps();

 private:
  // One look at all ranks. Only the watchdog's thread uses it.
  struct Watch;
  void run(const std::stop_token& stop);

  Heartbeats heartbeats_;
  int ranks_elsewhere_;
  double step_timeout_;
  EndRun end_run_;
  std::atomic<Part> part_{Part::before_steps};
  std::atomic<double> expected_step_s_{0};
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace wansweep
