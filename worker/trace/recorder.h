// Turns points on the device's streams into trace rows: opened and closed around work while it is enqueued, resolved to
// times once the step is done, and flushed to the trace file a step at a time.
//
// One thread, the rank's main one, calls it.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/trace_file.h"
#include "worker/device/device.h"

namespace wansweep {

// What a row is about: of a copy, the weights that are moved, not those that are computed with meanwhile.
struct Place {
  int8_t expert = -1;   // 0: transformer, 1: transformer_2; -1: neither
  int8_t forward = -1;  // 0: cond, 1: uncond; -1: not part of a forward
  int16_t block = -1;   // -1: not part of a block
};

class Recorder {
 public:
  // `writer` may be null: then nothing is kept (tests). With TraceDetail::step, work between two stalls is one row.
  Recorder(Device& device, TraceWriter* writer, TraceDetail detail);

  // `expert`: 0 or 1.
  void begin_step(int step, int expert, int timestep, float sigma);
  // Waits for the step's compute, writes its rows, samples memory and power, and flushes. `not_finite`: where the
  // step's compute leaves the number of latents that are infinite or not a number; null: nobody counts. Throws what the
  // device or the trace file throws.
  void end_step(const int64_t* not_finite = nullptr);

  // Work on a stream, between begin() and end(). Spans of one stream do not nest.
  struct Span {
    EventKind kind = EventKind::compute;
    StreamId stream = StreamId::compute;
    Place place;
    Event start;
  };
  Span begin(EventKind kind, StreamId stream, Place place);
  void end(const Span& span, int64_t bytes = 0);

  // The compute stream waits for `event`, and the wait is a stall for `cause` when it takes any time.
  void wait(const Event& event, StallCause cause, Place place);

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
  // TraceDetail::step: the work since the last stall, of one forward.
  struct Merged {
    Event start;  // null: there is none
    Place place;
  };
  bool is_merged(EventKind kind) const;
  void add(EventRow row, Place place, const Event& start, const Event& end);
  void close_merged(const Event& end);
  void write_done(TraceRows& rows, bool all);
  void sample_power(int step);

  Device& device_;
  TraceWriter* writer_;
  TraceDetail detail_;
  std::vector<Pending> pending_;
  Merged merged_;
  StepRow step_;
  Event step_start_;
  std::vector<PowerRow> power_;  // of the next rows to be written
  int64_t steps_written_ = 0, events_written_ = 0, memory_written_ = 0;
};

}  // namespace wansweep
