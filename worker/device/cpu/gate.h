// The gate of the CPU backend: threads pass while it is open. See worker/device/device.h.
#pragma once

#include <condition_variable>
#include <mutex>

namespace wansweep {

class Gate {
 public:
  void close() { set(false); }
  void open() { set(true); }
  void pass() {  // waits while the gate is closed
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    if (open) opened_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

}  // namespace wansweep
