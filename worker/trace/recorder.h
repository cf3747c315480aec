// Turns events on the device's streams into trace rows: a row is opened and closed around work while the work is
// enqueued, gets its times when the step has ended, and is flushed to the trace file with the step.
//
// Only the rank's main thread calls a recorder.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/trace_file.h"
#include "worker/device/device.h"

namespace wansweep {

// The subject of a row: for a copy, the weights that are moved, not the block that computes meanwhile.
struct Place {
  int8_t expert = -1;   // 0: transformer, 1: transformer_2; -1: neither
  int8_t forward = -1;  // 0: cond, 1: uncond; -1: not part of a forward
  int16_t block = -1;   // -1: not part of a block
};

class Recorder {
 public:
  // With a null `writer`, nothing is kept (for tests). With TraceDetail::step, all work between two stalls is one row.
  Recorder(Device& device, TraceWriter* writer, TraceDetail detail);

  // `expert`: 0 or 1.
  void begin_step(int step, int expert, int timestep, float sigma);
  // Waits for the step's compute, writes its rows, samples memory and power, and flushes. `not_finite` points to the
  // number of latents that are infinite or not a number, which the step's compute writes; null: not counted. Throws as
  // the device and the trace file do.
  void end_step(const int64_t* not_finite = nullptr);

  // The work on a stream between begin() and end(). Spans on one stream do not nest.
  struct Span {
    EventKind kind = EventKind::compute;
    StreamId stream = StreamId::compute;
    Place place;
    Event start;
  };
  Span begin(EventKind kind, StreamId stream, Place place);
  void end(const Span& span, int64_t bytes = 0);

  // Makes the compute stream wait for `event`. If the wait takes any time, it is recorded as a stall for `cause`.
  void wait(const Event& event, StallCause cause, Place place);

  // To be called after the last step: writes the rows of work that was still under way, and the clock measurements.
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
  // For TraceDetail::step: the work of one forward since the last stall.
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
  std::vector<PowerRow> power_;  // to be written with the next rows
  int64_t steps_written_ = 0, events_written_ = 0, memory_written_ = 0;
};

}  // namespace wansweep
