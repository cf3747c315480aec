#include "orchestrator/store/rank_clocks.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace wansweep {
namespace {

class ClockOffset {
 public:
  explicit ClockOffset(const std::vector<ClockRow>& rows) {
    for (const ClockRow& row : rows) {
      if (row.at_end == 0) first_ = row;
      if (row.at_end == 1) last_ = row;
    }
  }
  // Rank 0's clock minus this one's.
  int64_t at(int64_t time) const {
    if (!first_) return last_ ? last_->offset_ns : 0;
    if (!last_ || last_->time_ns <= first_->time_ns) return first_->offset_ns;
    const double share =
        static_cast<double>(time - first_->time_ns) / static_cast<double>(last_->time_ns - first_->time_ns);
    return first_->offset_ns + static_cast<int64_t>(share * static_cast<double>(last_->offset_ns - first_->offset_ns));
  }

 private:
  std::optional<ClockRow> first_, last_;
};

// `by(time)`: how much later what begins at `time` is. Both ends move alike.
template <typename By>
void move_times(TraceRows& rows, By by) {
  const auto move = [&](int64_t& start, int64_t& end) {
    const int64_t later = by(start);
    start += later;
    end += later;
  };
  for (StepRow& s : rows.steps) move(s.start_ns, s.end_ns);
  for (EventRow& e : rows.events) move(e.start_ns, e.end_ns);
  for (MemoryRow& m : rows.memory) m.time_ns += by(m.time_ns);
  for (PowerRow& p : rows.power) p.time_ns += by(p.time_ns);
}

}  // namespace

void to_shared_clock(TraceRows& rows) {
  const ClockOffset offset(rows.clock);
  move_times(rows, [&](int64_t time) { return offset.at(time); });
}

int64_t origin_of(const std::vector<const TraceRows*>& ranks) {
  constexpr int64_t none = std::numeric_limits<int64_t>::max();
  int64_t first_step = none;
  int64_t first_event = none;
  for (const TraceRows* rows : ranks) {
    for (const StepRow& s : rows->steps) first_step = std::min(first_step, s.start_ns);
    for (const EventRow& e : rows->events) first_event = std::min(first_event, e.start_ns);
  }
  const int64_t origin = first_step != none ? first_step : first_event;
  return origin != none ? origin : 0;
}

void count_from(int64_t origin, TraceRows& rows) {
  move_times(rows, [&](int64_t) { return -origin; });
}

}  // namespace wansweep
