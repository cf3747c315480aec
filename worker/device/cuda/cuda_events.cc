#include "worker/device/cuda/cuda_events.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

constexpr int records_a_mark = 32;
constexpr int64_t look_every_ns = 1'000'000'000;
constexpr int64_t trusted_ns = 100'000;  // a reading of the clock that took longer is discarded

}  // namespace

EventPool::~EventPool() {
  for (cudaEvent_t event : free_) cudaEventDestroy(event);
}

cudaEvent_t EventPool::take() {
  cudaEvent_t event = nullptr;
  if (free_.empty()) {
    cudaCheck(cudaEventCreateWithFlags(&event, cudaEventDefault));
    return event;
  }
  event = free_.back();
  free_.pop_back();
  return event;
}

bool PooledEvent::done() const {
  const cudaError_t result = cudaEventQuery(event_);
  if (result == cudaErrorNotReady) return false;
  cudaCheck(result);
  return true;
}

EventClock::EventClock(cudaStream_t compute) : compute_(compute) {
  cudaCheck(cudaStreamCreateWithFlags(&idle_, cudaStreamNonBlocking));
  look();  // the first reading is slow, since CUDA initialises lazily
  const Look first = look();
  mark_ = first.mark;
  mark_->time = SteeredTime(first.host_ns);
  last_look_ns_ = first.host_ns;
}

EventClock::~EventClock() { cudaStreamDestroy(idle_); }

EventClock::Look EventClock::look() {
  Look result;
  result.mark = std::make_shared<TimeMark>(pool_);
  const int64_t before = monotonic_ns();
  cudaCheck(cudaEventRecord(result.mark->event.get(), idle_));
  cudaCheck(cudaEventSynchronize(result.mark->event.get()));
  const int64_t after = monotonic_ns();
  result.host_ns = (before + after) / 2;
  result.unsure_ns = (after - before) / 2;
  return result;
}

Event EventClock::record(cudaStream_t stream) {
  if (stream == compute_ && ++records_since_mark_ >= records_a_mark) {
    records_since_mark_ = 0;
    auto next = std::make_shared<TimeMark>(pool_);
    cudaCheck(cudaEventRecord(next->event.get(), compute_));
    next->before = mark_;
    mark_ = std::move(next);
  }
  auto event = std::make_shared<CudaEvent>(pool_, mark_);
  cudaCheck(cudaEventRecord(event->event.get(), stream));
  return event;
}

int64_t EventClock::since(const TimeMark& mark, cudaEvent_t event) const {
  float ms = 0;
  cudaCheck(cudaEventElapsedTime(&ms, mark.event.get(), event));
  return std::llround(static_cast<double>(ms) * 1e6);
}

std::shared_ptr<TimeMark> EventClock::known(std::shared_ptr<TimeMark> mark) {
  while (!mark->time && !mark->event.done()) mark = mark->before;
  std::vector<TimeMark*> unknown;
  for (TimeMark* each = mark.get(); !each->time; each = each->before.get()) unknown.push_back(each);
  std::for_each(unknown.rbegin(), unknown.rend(), [&](TimeMark* next) {
    next->time = next->before->time->next(since(*next->before, next->event.get()), target_ns_);
    next->before.reset();
  });
  return mark;
}

int64_t EventClock::time_ns(const CudaEvent& event) {
  // Work on another stream may end before the compute stream reaches the event's mark. Then the time counts from an
  // earlier mark.
  const std::shared_ptr<TimeMark> mark = known(event.mark);
  return mark->time->at(since(*mark, event.event.get()));
}

void EventClock::follow_host() {
  if (monotonic_ns() - last_look_ns_ < look_every_ns) return;
  const Look now = look();
  last_look_ns_ = now.host_ns;
  if (now.unsure_ns > trusted_ns) return;
  const std::shared_ptr<TimeMark> mark = known(mark_);
  target_ns_ = now.host_ns - (mark->time->own() + since(*mark, now.mark->event.get()));
  records_since_mark_ = records_a_mark;  // the next event starts from a mark of its own
}

}  // namespace wansweep
