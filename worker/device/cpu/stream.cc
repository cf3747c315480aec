#include "worker/device/cpu/stream.h"

#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "worker/device/cpu/link.h"

namespace wansweep {

void CpuEvent::complete() {
  const std::lock_guard lock(mutex_);
  time_ns_ = monotonic_ns();
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
  if (!done_) throw Error(ExitCode::internal, "event: its time is asked for before it is done");
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
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
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
    if (task.always) task.always();
    if (task.completes) task.completes->complete();
    if (task.waits_for) task.waits_for->wait();
    if (!task.work || failed) continue;
    try {
      task.work();
    } catch (...) {
      failed = true;
      failure_.keep(std::current_exception());
    }
  }
}

}  // namespace wansweep
