// A stream of the CPU backend: a thread that runs a queue of work in order.
//
// Work on an emulated link takes the link's time, not the thread's, because a real copy engine never waits for a core.
// Such timed work gets the time at which it may begin, which is the time of the event directly before it, and returns
// the time at which it ended. An event directly behind it has that end as its time, though the thread may have woken
// later. Both rules hold only for what was queued by then. All other events have the time at which the thread reached
// them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "worker/device/device.h"

namespace wansweep {

class CpuEvent : public EventState {
 public:
  void complete(int64_t time_ns);
  void wait();  // until the event is complete
  bool done();
  int64_t time_ns();  // throws Error(internal) when the event is not complete yet

 private:
  std::mutex mutex_;
  std::condition_variable completed_;
  bool done_ = false;
  int64_t time_ns_ = 0;
};

// The first exception among a device's streams.
class StreamFailure {
 public:
  void keep(std::exception_ptr exception);
  void rethrow();  // does nothing when there is none

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

class Stream {
 public:
  explicit Stream(StreamFailure& failure);
  ~Stream();  // runs the queue to its end first
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // After work has thrown, all later work is skipped, since its inputs are missing. Events still complete, so that
  // no thread waits for ever.
  void enqueue(std::function<void()> work);
  // `work` takes the time (monotonic_ns) at which it may begin, and returns when it ended: not before that, and not
  // after it returns.
  void enqueue_timed(std::function<int64_t(int64_t begin)> work);
  // Enqueues work that must also run after other work has thrown. It must not throw.
  void enqueue_always(std::function<void()> work);
  std::shared_ptr<CpuEvent> record();
  void wait(std::shared_ptr<CpuEvent> event);

 private:
  struct Task {  // one of the five
    std::function<void()> work = {};
    std::function<int64_t(int64_t)> timed = {};
    std::function<void()> always = {};
    std::shared_ptr<CpuEvent> completes = {};
    std::shared_ptr<CpuEvent> waits_for = {};
    int64_t queued_ns = 0;
  };
  void push(Task task);
  void run();
  int64_t time_of(const Task& task) const;  // at which it begins

  StreamFailure& failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  // The end of what was done last, if it was an event or timed work; only the thread uses it.
  std::optional<int64_t> last_ns_;
  std::thread thread_;  // declared last: it uses all members above
};

}  // namespace wansweep
