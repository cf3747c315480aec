#include "worker/trace/recorder.h"

#include <utility>

#include "base/clock.h"

namespace wansweep {

Recorder::Recorder(Device& device, TraceWriter* writer, TraceDetail detail)
    : device_(device), writer_(writer), detail_(detail) {}

void Recorder::begin_step(int step, int expert, int timestep, float sigma) {
  step_ = StepRow{};
  step_.step = step;
  step_.expert = expert + 1;
  step_.timestep = timestep;
  step_.sigma = sigma;
  if (writer_ != nullptr && steps_written_ == 0) sample_power(0);
  step_start_ = device_.record(StreamId::compute);
}

bool Recorder::is_merged(EventKind kind) const {
  return detail_ == TraceDetail::step && (kind == EventKind::compute || kind == EventKind::attention);
}

Recorder::Span Recorder::begin(EventKind kind, StreamId stream, Place place) {
  if (!is_merged(kind)) return {kind, stream, place, device_.record(stream)};
  if (merged_.start && merged_.place.forward != place.forward) close_merged(device_.record(stream));
  if (!merged_.start) merged_ = {device_.record(stream), {place.expert, place.forward, -1}};
  return {kind, stream, place, merged_.start};
}

void Recorder::end(const Span& span, int64_t bytes) {
  if (is_merged(span.kind)) return;
  EventRow row;
  row.kind = span.kind;
  row.stream = span.stream;
  row.bytes = bytes;
  add(row, span.place, span.start, device_.record(span.stream));
}

void Recorder::wait(const Event& event, StallCause cause, Place place) {
  if (!event) return;
  const Event before = device_.record(StreamId::compute);
  if (merged_.start) close_merged(before);
  device_.wait(StreamId::compute, event);
  EventRow row;
  row.kind = EventKind::stall;
  row.cause = cause;
  add(row, place, before, device_.record(StreamId::compute));
}

void Recorder::add(EventRow row, Place place, const Event& start, const Event& end) {
  if (writer_ == nullptr) return;
  row.step = step_.step;
  row.forward = place.forward;
  row.block = place.block;
  row.expert = static_cast<uint8_t>(place.expert + 1);
  pending_.push_back({row, start, end});
}

void Recorder::close_merged(const Event& end) {
  EventRow row;
  row.kind = EventKind::compute;
  add(row, merged_.place, merged_.start, end);
  merged_ = {};
}

void Recorder::end_step(const int64_t* not_finite) {
  if (merged_.start) close_merged(device_.record(StreamId::compute));
  const Event end = device_.record(StreamId::compute);
  device_.synchronize(end);
  step_.start_ns = device_.time_ns(step_start_);
  step_.end_ns = device_.time_ns(end);
  if (writer_ == nullptr) return;

  TraceRows rows;
  write_done(rows, false);
  rows.steps.push_back(step_);
  const MemoryUse use = device_.memory_use();
  rows.memory.push_back({step_.step, step_.end_ns, use.device_used, use.device_peak, use.host_used, use.host_peak});
  if (not_finite != nullptr) rows.nonfinite.push_back({step_.step, *not_finite});
  sample_power(step_.step);
  rows.power = std::exchange(power_, {});
  writer_->append(rows);
  steps_written_ += 1;
  memory_written_ += 1;
  events_written_ += static_cast<int64_t>(rows.events.size());
}

void Recorder::sample_power(int step) {
  const std::optional<DevicePower> now = device_.power();
  if (!now) return;
  power_.push_back({step, monotonic_ns(), now->energy_mj, now->power_mw, now->sm_clock_mhz, now->temperature_c});
}

// Writes the rows whose work has ended. A transfer for the next step may still be under way, and is written with that
// step.
void Recorder::write_done(TraceRows& rows, bool all) {
  std::vector<Pending> later;
  for (Pending& pending : pending_) {
    if (!all && !device_.done(pending.end)) {
      later.push_back(std::move(pending));
      continue;
    }
    pending.row.start_ns = device_.time_ns(pending.start);
    pending.row.end_ns = device_.time_ns(pending.end);
    const bool instant_stall = pending.row.kind == EventKind::stall && pending.row.end_ns - pending.row.start_ns < 1000;
    if (!instant_stall) rows.events.push_back(pending.row);
  }
  pending_ = std::move(later);
}

void Recorder::finish(const std::vector<ClockRow>& clock) {
  if (writer_ == nullptr) return;
  device_.synchronize();
  TraceRows rows;
  write_done(rows, true);
  rows.clock = clock;
  events_written_ += static_cast<int64_t>(rows.events.size());
  writer_->append(rows);
}

}  // namespace wansweep
