// The first load: bringing the first weights to the device, before step 1. Its events are those of step 0, in every
// mode.
#pragma once

#include <cstdint>
#include <optional>

#include "schema/setting_values.h"
#include "schema/trace_rows.h"

namespace wansweep {

struct FirstLoad {
  int64_t duration_ns = 0;  // while a copy to the device ran
  int64_t bytes = 0;
};

// Converts rows of trace format 1 to today's format, as far as possible:
//
//   `swap` loaded its first expert within step 1. The copy, the switch around it (one without a copy back) and the wait
//   for it become events of step 0.
//
//   A copy's row named the block that computed meanwhile: its block becomes -1, unknown.
//
// Returns whether such a load was found; step 1 then still begins with it, until begin_after_first_load() is called.
bool correct_format_1(TraceRows& rows);

// Makes step 1 begin when all events of step 0 have ended.
void begin_after_first_load(TraceRows& rows);

// The first load; nullopt when it was not recorded completely: in format 1, `layerwise` (or an unknown mode) did not
// record the loading of weights outside blocks.
std::optional<FirstLoad> first_load_of(const TraceRows& rows, int format, std::optional<OffloadMode> mode);

}  // namespace wansweep
