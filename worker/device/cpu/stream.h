// A stream of the CPU backend: a thread that works through a queue in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "worker/device/device.h"

namespace wansweep {

class CpuEvent : public EventState {
 public:
  void complete();
  void wait();  // until it is complete
  bool done();
  int64_t time_ns();  // throws Error(internal) before that

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
  void rethrow();  // returns when there is none

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

class Stream {
 public:
  explicit Stream(StreamFailure& failure);
  ~Stream();  // works through the queue first
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // After work has thrown, later work is skipped for good: its inputs are missing. Events still complete, so that
  // nothing waits for ever.
  void enqueue(std::function<void()> work);
  // Work that others rely on, and that does not throw: done also then.
  void enqueue_always(std::function<void()> work);
  std::shared_ptr<CpuEvent> record();
  void wait(std::shared_ptr<CpuEvent> event);

 private:
  struct Task {  // one of the four
    std::function<void()> work = {};
    std::function<void()> always = {};
    std::shared_ptr<CpuEvent> completes = {};
    std::shared_ptr<CpuEvent> waits_for = {};
  };
  void push(Task task);
  void run();

  StreamFailure& failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace wansweep
