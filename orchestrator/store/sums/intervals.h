// Times at which something ran, as sorted intervals that do not touch, and which kinds of events are of which sort.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

// From `start` up to `end`, which is not in it. Nanoseconds.
struct Interval {
  int64_t start = 0, end = 0;
  int64_t length() const { return end - start; }
};
using Intervals = std::vector<Interval>;

bool earlier(const Interval& a, const Interval& b);

// Sorted, and those that touch made one.
Intervals united(Intervals intervals);

// How much of `what` lies within `cover`, which is united.
int64_t covered(const Interval& what, const Intervals& cover);

// Whether `time` lies in one of `cover`, which is united.
bool contains(const Intervals& cover, int64_t time);

constexpr bool is_work(EventKind kind) { return kind == EventKind::compute || kind == EventKind::attention; }
constexpr bool is_copy(EventKind kind) { return kind == EventKind::h2d || kind == EventKind::d2h; }
constexpr bool is_exchange(EventKind kind) { return kind == EventKind::all_to_all || kind == EventKind::ring; }
// Exchanges, and parts of weights that the ranks of a node bring for each other.
constexpr bool is_between_ranks(EventKind kind) { return is_exchange(kind) || kind == EventKind::weight_parts; }

}  // namespace wansweep
