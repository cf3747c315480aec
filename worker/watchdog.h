// Ends a run in which no step ends any more: when a rank is stopped or hangs, the others would wait in MPI or on their
// devices for ever. The watchdog has a thread of its own, so it works while the main thread is blocked.
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

// The seconds that a run may go on without ending a step: `step_timeout` or, when that is 0, ten times the slowest step
// so far and at least ten minutes.
double step_limit_s(double step_timeout, double slowest_s);

class Watchdog {
 public:
  // Called once, on the watchdog's thread, when the run has stalled. `speaks`: this process reports the stall for its
  // node.
  using EndRun = std::function<void(const Stall& stall, bool speaks)>;

  // `ranks` is the number of ranks of the whole run; for `step_timeout` see step_limit_s.
  Watchdog(Heartbeats heartbeats, int ranks, double step_timeout, EndRun end_run);
  ~Watchdog();  // stops the thread
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The run's main thread reports its progress. Until the first step has ended, `expected_step_s` counts as the
  // slowest.
  void begin_steps(double expected_step_s);
  void step_ended();
  void end_steps();

 private:
  // One check of all ranks. Only the watchdog's thread uses it.
  struct Watch;
  void run(const std::stop_token& stop);

  Heartbeats heartbeats_;
  int ranks_elsewhere_;
  double step_timeout_;
  EndRun end_run_;
  std::atomic<Part> part_{Part::before_steps};
  std::atomic<double> expected_step_s_{0};
  std::jthread thread_;  // declared last: it uses all members above
};

}  // namespace wansweep
