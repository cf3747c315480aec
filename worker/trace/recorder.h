// Turns points on the device's streams into trace rows: opened and closed around work while it is enqueued, resolved to
// times once the step is done, and flushed to the trace file a step at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schema/trace_file.h"
#include "worker/device/device.h"

namespace wansweep {

class Recorder {
 public:
  // `writer` may be null: then nothing is kept (tests). With TraceDetail::step, work between two stalls is one row.
  Recorder(Device& device, TraceWriter* writer, TraceDetail detail);

  void begin_step(int step, int expert, int timestep, float sigma);
  // Waits for the step's compute, writes its rows, samples memory, and flushes.
  void end_step();

  // What the rows that follow belong to; -1: nothing of that kind.
  void set_forward(int forward);
  void set_block(int block) { block_ = static_cast<int16_t>(block); }

  // Work on a stream, between begin() and end(). Spans of one stream do not nest.
  struct Span {
    EventKind kind = EventKind::compute;
    StreamId stream = StreamId::compute;
    Event start;
  };
  Span begin(EventKind kind, StreamId stream);
  void end(const Span& span, int64_t bytes = 0, int expert = 0);

  // The compute stream waits for `event`, and the wait is a stall for `cause` when it takes any time.
  void wait(const Event& event, StallCause cause);

  // After the last step: writes what was still under way, and the clock measurements.
  void finish(const std::vector<ClockRow>& clock);

  int64_t steps_written() const { return steps_written_; }
  int64_t events_written() const { return events_written_; }
  int64_t memory_written() const { return memory_written_; }

 private:
  struct Pending {
    EventRow row;
    Event start;
    Event end;
  };
  void add(EventRow row, const Event& start, const Event& end);
  void close_merged(const Event& end);
  void write_done(TraceRows& rows, bool all);

  Device& device_;
  TraceWriter* writer_;
  TraceDetail detail_;
  std::vector<Pending> pending_;
  Event merged_start_;  // TraceDetail::step: where the work since the last stall began
  StepRow step_;
  Event step_start_;
  int16_t forward_ = -1;
  int16_t block_ = -1;
  int64_t steps_written_ = 0, events_written_ = 0, memory_written_ = 0;
};

}  // namespace wansweep
