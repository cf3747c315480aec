// The time waited is the sum of the intervals between the thread's checks, each limited, not the time on the clock: a
// process that was itself stopped and continued (Slurm suspends and resumes whole jobs) was not waiting meanwhile.

#include "worker/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <optional>

#include "base/clock.h"
#include "base/process.h"

namespace wansweep {

namespace {

constexpr double longest_look_s = 1;  // the longest interval between two checks that counts
constexpr double ten_minutes_s = 600;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this node";
}

}  // namespace

double step_limit_s(double step_timeout, double slowest_s) {
  return step_timeout > 0 ? step_timeout : std::max(ten_minutes_s, 10 * slowest_s);
}

struct Watchdog::Watch {
  struct Mate {
    int64_t beats = 0;
    double silent_s = 0;
  };

  // One check, `passed_s` after the last one.
  std::optional<Stall> look(const Watchdog& dog, double passed_s);

  std::vector<Mate> mates;
  Part part = Part::before_steps;
  int steps = 0;
  double waited_s = 0;
  double slowest_s = 0;
};

std::optional<Stall> Watchdog::Watch::look(const Watchdog& dog, double passed_s) {
  Heartbeat& own = dog.heartbeats_.own();
  own.beats += 1;
  waited_s += passed_s;
  const Part now = dog.part_;
  const int steps_now = own.steps;
  if (now != part || steps_now != steps) {
    if (part == Part::steps) slowest_s = std::max(slowest_s, waited_s);
    part = now;
    steps = steps_now;
    waited_s = 0;
  }
  const double limit_s = step_limit_s(dog.step_timeout_, steps == 0 ? dog.expected_step_s_.load() : slowest_s);

  NodeSight sight;
  sight.host = host_name();
  sight.ranks_elsewhere = dog.ranks_elsewhere_;
  sight.part = part;
  sight.waited_s = waited_s;
  sight.limit_s = part == Part::steps ? limit_s : std::max(ten_minutes_s, limit_s);
  mates.resize(dog.heartbeats_.of_node().size());
  auto mate = mates.begin();
  for (const Heartbeat& beat : dog.heartbeats_.of_node()) {
    const int64_t beats = beat.beats;
    mate->silent_s = beats == mate->beats ? mate->silent_s + passed_s : 0;
    mate->beats = beats;
    const auto process = static_cast<pid_t>(beat.process.load());
    sight.ranks.push_back({beat.rank, process, beat.steps, mate->silent_s, process_state(process)});
    ++mate;
  }
  return find_stall(sight);
}

Watchdog::Watchdog(Heartbeats heartbeats, int ranks, double step_timeout, EndRun end_run)
    : heartbeats_(std::move(heartbeats)),
      ranks_elsewhere_(ranks - static_cast<int>(heartbeats_.of_node().size())),
      step_timeout_(step_timeout),
      end_run_(std::move(end_run)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Watchdog::~Watchdog() = default;

void Watchdog::begin_steps(double expected_step_s) {
  expected_step_s_ = expected_step_s;
  part_ = Part::steps;
}

void Watchdog::step_ended() { heartbeats_.own().steps += 1; }

void Watchdog::end_steps() { part_ = Part::after_steps; }

void Watchdog::run(const std::stop_token& stop) {
  const double look_s = step_timeout_ > 0 ? std::clamp(step_timeout_ / 10, 0.05, longest_look_s) : longest_look_s;
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  Watch watch;
  int64_t last_ns = monotonic_ns();
  while (!stopped.wait_for(lock, stop, std::chrono::duration<double>(look_s), [&] { return stop.stop_requested(); })) {
    const int64_t now_ns = monotonic_ns();
    const double passed_s = std::min(static_cast<double>(now_ns - last_ns) / 1e9, 3 * look_s);
    last_ns = now_ns;
    const std::optional<Stall> stall = watch.look(*this, passed_s);
    if (!stall) continue;
    end_run_(*stall, heartbeats_.may_speak());
    return;
  }
}

}  // namespace wansweep
