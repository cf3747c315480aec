// Names the numbers of a machine for people.
#pragma once

#include <string>

#include "orchestrator/machines/machine.h"

namespace wansweep {

// "matrix products of 8190 rows: 380 TFLOP/s (297 to 497)". `number` points into `machine`.
std::string number_text(const Machine& machine, const Measured& number);

}  // namespace wansweep
