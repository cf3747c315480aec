// What a block of the model computes on one rank, in operations and bytes, and how long that takes on a machine.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "schema/run_plan.h"

namespace wansweep {

// Of the rank with most heads; a multiplication and an addition are two operations. With M tokens of its own, N keys, R
// rows of q after the all-to-all, H heads of width W, T tokens of text, width D and feed-forward width F:
//   before     2 M D 3D                                     q, k and v
//   attention  4 R N H W
//   after      2 M D D + (4 M + 4 T) D D + 4 M T D + 4 M D F  output; cross-attention; feed-forward
struct BlockWork {
  double before = 0, attention = 0, after = 0;           // operations
  double after_attention = 0;                            // of `after`, those of cross-attention
  double elementwise_before = 0, elementwise_after = 0;  // bytes read and written by what is no product: norms, gates
};
BlockWork block_work(const ProbeShape& shape);

// Seconds.
struct BlockSeconds {
  double before = 0, attention = 0, after = 0;
  double shared = 0;          // of a block whose self-attention is done
  double step = 0;            // a step beside its blocks
  double with_exchanges = 0;  // as it was measured with its exchanges; 0: it was not
  double beside_copies = 0;   // the same while every rank copied weights in without a pause; 0: it was not measured
  double total() const { return before + attention + after; }
};

// Of the run's own shape where the machine has it, else from the machine's rates. Throws bad_input, its line saying
// what the machine lacks, when it has neither.
BlockSeconds block_seconds(const Machine& machine, const RunPlan& plan, Draw& draw);

}  // namespace wansweep
