// How far a sweep is, as a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wansweep {

struct Progress {
  size_t total = 0;
  size_t done = 0;
  size_t failed = 0;
  size_t running = 0;
  std::string running_name;  // the oldest running attempt
  double seconds_left = -1;  // below 0: unknown
  int64_t step = 0;          // its last finished step; 0: none, or unknown
  int64_t steps = 0;         // its number of steps
};

// "[12/36] 11 done, 1 running (r4-swap-shift12-..., step 5 of 27), 0 failed, 0:42 left", at most `width` columns.
std::string progress_text(const Progress& progress, size_t width);

}  // namespace wansweep
