#include "worker/trace/recorder.h"

namespace wansweep {

namespace {

bool is_work(EventKind kind) { return kind == EventKind::compute || kind == EventKind::attention; }

}  // namespace

Recorder::Recorder(Device& device, TraceWriter* writer, TraceDetail detail)
    : device_(device), writer_(writer), detail_(detail) {}

void Recorder::begin_step(int step, int expert, int timestep, float sigma) {
  step_ = StepRow{};
  step_.step = step;
  step_.expert = expert;
  step_.timestep = timestep;
  step_.sigma = sigma;
  step_start_ = device_.record(StreamId::compute);
}

void Recorder::set_forward(int forward) {
  if (merged_start_) close_merged(device_.record(StreamId::compute));
  forward_ = static_cast<int16_t>(forward);
}

Recorder::Span Recorder::begin(EventKind kind, StreamId stream) {
  if (detail_ == TraceDetail::step && is_work(kind)) {
    if (!merged_start_) merged_start_ = device_.record(stream);
    return Span{kind, stream, merged_start_};
  }
  return Span{kind, stream, device_.record(stream)};
}

void Recorder::end(const Span& span, int64_t bytes, int expert) {
  if (detail_ == TraceDetail::step && is_work(span.kind)) return;
  EventRow row;
  row.kind = span.kind;
  row.stream = span.stream;
  row.bytes = bytes;
  row.expert = static_cast<uint8_t>(expert != 0 ? expert : step_.expert);
  add(row, span.start, device_.record(span.stream));
}

void Recorder::wait(const Event& event, StallCause cause) {
  if (!event) return;
  const Event before = device_.record(StreamId::compute);
  if (merged_start_) close_merged(before);
  device_.wait(StreamId::compute, event);
  EventRow row;
  row.kind = EventKind::stall;
  row.cause = cause;
  row.expert = static_cast<uint8_t>(step_.expert);
  add(row, before, device_.record(StreamId::compute));
}

void Recorder::add(EventRow row, const Event& start, const Event& end) {
  if (writer_ == nullptr) return;
  row.step = step_.step;
  row.forward = forward_;
  row.block = block_;
  pending_.push_back({row, start, end});
}

void Recorder::close_merged(const Event& end) {
  EventRow row;
  row.kind = EventKind::compute;
  row.expert = static_cast<uint8_t>(step_.expert);
  const int16_t block = block_;
  block_ = -1;
  add(row, merged_start_, end);
  block_ = block;
  merged_start_.reset();
}

void Recorder::end_step() {
  set_forward(-1);
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
  writer_->append(rows);
  steps_written_ += 1;
  memory_written_ += 1;
  events_written_ += static_cast<int64_t>(rows.events.size());
}

// Rows whose work is over; a transfer for the next step may still be on its way and waits for that step's turn.
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
