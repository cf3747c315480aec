// Events on CUDA streams, and one clock for all of them.
//
// cudaEventElapsedTime returns milliseconds as a float: over minutes it is exact only to tens of microseconds. So an
// event's time is measured from a recent mark on the compute stream, and each mark's from the mark before: every
// difference is short, and exact to well below a microsecond. The GPU's clock drifts from the host's, which is read now
// and then to steer the chain of marks (steered_time.h).
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <optional>
#include <vector>

#include "worker/device/cuda/steered_time.h"
#include "worker/device/device.h"

namespace wansweep {

// A pool of CUDA events, which are created once and reused.
class EventPool {
 public:
  EventPool() = default;
  ~EventPool();
  EventPool(const EventPool&) = delete;
  EventPool& operator=(const EventPool&) = delete;
  cudaEvent_t take();
  void give_back(cudaEvent_t event) { free_.push_back(event); }

 private:
  std::vector<cudaEvent_t> free_;
};

class PooledEvent {
 public:
  explicit PooledEvent(std::shared_ptr<EventPool> pool) : pool_(std::move(pool)), event_(pool_->take()) {}
  ~PooledEvent() { pool_->give_back(event_); }
  PooledEvent(const PooledEvent&) = delete;
  PooledEvent& operator=(const PooledEvent&) = delete;
  cudaEvent_t get() const { return event_; }
  bool done() const;

 private:
  std::shared_ptr<EventPool> pool_;
  cudaEvent_t event_;
};

struct TimeMark {
  explicit TimeMark(std::shared_ptr<EventPool> pool) : event(std::move(pool)) {}
  PooledEvent event;
  std::shared_ptr<TimeMark> before;  // the mark before this one; null once `time` is known
  std::optional<SteeredTime> time;
};

struct CudaEvent : EventState {
  CudaEvent(std::shared_ptr<EventPool> pool, std::shared_ptr<TimeMark> at)
      : event(std::move(pool)), mark(std::move(at)) {}
  PooledEvent event;
  std::shared_ptr<TimeMark> mark;  // the latest on the compute stream when this was recorded
};

class EventClock {
 public:
  explicit EventClock(cudaStream_t compute);
  ~EventClock();
  EventClock(const EventClock&) = delete;
  EventClock& operator=(const EventClock&) = delete;

  Event record(cudaStream_t stream);
  int64_t time_ns(const CudaEvent& event);

  // Compares with the host's clock again when the last comparison is over a second old.
  void follow_host();

 private:
  struct Look {
    std::shared_ptr<TimeMark> mark;
    int64_t host_ns = 0;    // the host's time when the mark was passed
    int64_t unsure_ns = 0;  // the uncertainty of host_ns
  };
  Look look();
  // The latest mark at or before `mark` that the stream has passed; its time is known then.
  std::shared_ptr<TimeMark> known(std::shared_ptr<TimeMark> mark);
  int64_t since(const TimeMark& mark, cudaEvent_t event) const;

  std::shared_ptr<EventPool> pool_ = std::make_shared<EventPool>();
  cudaStream_t compute_;
  cudaStream_t idle_ = nullptr;  // used only to read the clock
  std::shared_ptr<TimeMark> mark_;
  int records_since_mark_ = 0;
  int64_t last_look_ns_ = 0;
  int64_t target_ns_ = 0;  // of marks that become known: see SteeredTime
};

}  // namespace wansweep
