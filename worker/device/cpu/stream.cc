#include "worker/device/cpu/stream.h"

#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace wansweep {

void CpuEvent::complete(int64_t time_ns) {
  const std::lock_guard lock(mutex_);
  time_ns_ = time_ns;
  done_ = true;
  completed_.notify_all();
}

void CpuEvent::wait() {
  std::unique_lock lock(mutex_);
  completed_.wait(lock, [this] { return done_; });
}

bool CpuEvent::done() {
  const std::lock_guard lock(mutex_);
  return done_;
}

int64_t CpuEvent::time_ns() {
  const std::lock_guard lock(mutex_);
  if (!done_) throw Error(ExitCode::internal, "event: its time is read before the event is complete");
  return time_ns_;
}

void StreamFailure::keep(std::exception_ptr exception) {
  const std::lock_guard lock(mutex_);
  if (!first_) first_ = std::move(exception);
}

void StreamFailure::rethrow() {
  const std::lock_guard lock(mutex_);
  if (first_) std::rethrow_exception(first_);
}

Stream::Stream(StreamFailure& failure) : failure_(failure), thread_([this] { run(); }) {}

Stream::~Stream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Stream::enqueue(std::function<void()> work) { push({.work = std::move(work)}); }

void Stream::enqueue_timed(std::function<int64_t(int64_t)> work) { push({.timed = std::move(work)}); }

void Stream::enqueue_always(std::function<void()> work) { push({.always = std::move(work)}); }

std::shared_ptr<CpuEvent> Stream::record() {
  auto event = std::make_shared<CpuEvent>();
  push({.completes = event});
  return event;
}

void Stream::wait(std::shared_ptr<CpuEvent> event) { push({.waits_for = std::move(event)}); }

void Stream::push(Task task) {
  {
    const std::lock_guard lock(mutex_);
    task.queued_ns = monotonic_ns();
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
}

int64_t Stream::time_of(const Task& task) const {
  return last_ns_ && task.queued_ns <= *last_ns_ ? *last_ns_ : monotonic_ns();
}

void Stream::run() {
  bool failed = false;
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    const int64_t time = time_of(task);
    last_ns_.reset();
    if (task.always) task.always();
    if (task.waits_for) task.waits_for->wait();
    if (task.completes) {
      task.completes->complete(time);
      last_ns_ = time;
    }
    if (failed) continue;
    try {
      if (task.work) task.work();
      if (task.timed) last_ns_ = task.timed(time);
    } catch (...) {
      failed = true;
      failure_.keep(std::current_exception());
    }
  }
}

}  // namespace wansweep
