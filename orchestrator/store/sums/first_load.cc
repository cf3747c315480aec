#include "orchestrator/store/sums/first_load.h"

#include <algorithm>
#include <vector>

#include "orchestrator/store/sums/intervals.h"
#include "orchestrator/store/sums/step_summary.h"

namespace wansweep {
namespace {

// The switch row of step 1 around a load without a copy out; nullptr when there is none.
const EventRow* first_load_of_swap(const std::vector<EventRow>& events) {
  const EventRow* whole = nullptr;
  for (const EventRow& e : events) {
    if (e.step == 0 && e.kind == EventKind::h2d) return nullptr;  // it was loaded before
    if (e.step == 1 && e.kind == EventKind::switch_experts && whole == nullptr) whole = &e;
  }
  if (whole == nullptr) return nullptr;
  const auto within = [&](const EventRow& e, EventKind kind) {
    return e.step == 1 && e.kind == kind && e.start_ns >= whole->start_ns && e.start_ns <= whole->end_ns;
  };
  const auto any = [&](EventKind kind) {
    return std::any_of(events.begin(), events.end(), [&](const EventRow& e) { return within(e, kind); });
  };
  return any(EventKind::h2d) && !any(EventKind::d2h) ? whole : nullptr;
}

bool loads(OffloadMode mode, int format) {
  switch (mode) {
    case OffloadMode::resident:
    case OffloadMode::swap:
      return true;
    case OffloadMode::layerwise:
    case OffloadMode::snapshot:  // as planned, newer than format 1
    case OffloadMode::planned:
      return format > 1;
  }
  return false;
}

}  // namespace

bool correct_format_1(TraceRows& rows) {
  for (EventRow& e : rows.events) {
    if (is_copy(e.kind)) e.block = -1;
  }
  const EventRow* found = first_load_of_swap(rows.events);
  if (found == nullptr) return false;
  const EventRow whole = *found;
  for (EventRow& e : rows.events) {
    const bool waits = e.kind == EventKind::stall && e.cause == StallCause::weights;
    if (e.step != 1 || e.start_ns < whole.start_ns || e.start_ns > whole.end_ns) continue;
    if (e.kind == EventKind::switch_experts || e.kind == EventKind::h2d || waits) e.step = 0;
  }
  return true;
}

void begin_after_first_load(TraceRows& rows) {
  if (rows.steps.empty() || rows.steps.front().step != 1) return;
  StepRow& first = rows.steps.front();
  for (const EventRow& e : rows.events) {
    if (e.step == 0) first.start_ns = std::clamp(e.end_ns, first.start_ns, first.end_ns);
  }
}

std::optional<FirstLoad> first_load_of(const TraceRows& rows, int format, std::optional<OffloadMode> mode) {
  if (!(mode ? loads(*mode, format) : format > 1)) return std::nullopt;
  std::vector<EventRow> copies;
  FirstLoad load;
  for (const EventRow& e : rows.events) {
    if (e.step != 0 || e.kind != EventKind::h2d) continue;
    copies.push_back(e);
    load.bytes += e.bytes;
  }
  if (copies.empty()) return std::nullopt;
  // The union of the copies. All of it is exposed, since nothing is computed before step 1.
  load.duration_ns = summarize_steps(copies).at(0).exposed_transfer;
  return load;
}

}  // namespace wansweep
