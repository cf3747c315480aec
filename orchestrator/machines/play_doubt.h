// How far measured runs were from what predict plays, where the machine's numbers were those of a probe on the same machine:
// the doubt of the play itself. Factors, at their medians 1; one that is not known is 1.
#pragma once

#include "orchestrator/machines/measured.h"

namespace wansweep {

struct PlayDoubt {
  Measured loop;     // of every step, the same for all runs: gaps and waiting that a block measured by itself does not have
  Measured way;      // of every step, for each way of moving weights by itself: a difference of two runs has it twice
  Measured exposed;  // of exposed_transfer alone: copies beside that waiting
  Measured copies;   // of copies that nothing is computed beside: the first load and the spike
  bool operator==(const PlayDoubt&) const = default;
};
const PlayDoubt& measured_play_doubt();

}  // namespace wansweep
