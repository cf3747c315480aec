// A table as a page shows it: GiB and seconds where numbers are large, and no more digits than people read.
#pragma once

#include <string>

#include "orchestrator/store/query/table.h"

namespace wansweep {

// The columns of milliseconds, and those of MiB (by the end of their names: _ms, _mib), become seconds and GiB, names
// and values, all or none: when the largest of their values is 1000 or more and none but 0 is below 0.1. Columns with a
// unit are rounded to four digits of their largest value, and two of their least where that takes no more than two
// decimals more. A digest (32 hexadecimal digits or more) is cut to its first 12.
Table readable(Table table);

// "median_step_ms" as "median step (ms)".
std::string heading_of(std::string name);

}  // namespace wansweep
