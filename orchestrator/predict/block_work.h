// What a block of the model computes on one rank, in operations and bytes, and how long that takes on a machine.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "schema/run_plan.h"

namespace wansweep {

// The work of one block on one rank. The figures are those of the rank with the most heads. A multiplication and an
// addition count as two operations. The rank has M tokens of its own, N keys, R rows of q after the all-to-all, and H
// heads of width W; there are T tokens of text; the model's width is D, and its feed-forward width F:
//   before     2 M D 3D                                     q, k and v
//   attention  4 R N H W
//   after      2 M D D + (4 M + 4 T) D D + 4 M T D + 4 M D F  output; cross-attention; feed-forward
// Where the keys and values of the text are kept, the 4 T D D that make them are left out.
struct BlockWork {
  double before = 0, attention = 0, after = 0;           // operations
  double after_attention = 0;                            // the part of `after` that is cross-attention
  double elementwise_before = 0, elementwise_after = 0;  // bytes read and written by norms, gates and the like
};
BlockWork block_work(const ProbeShape& shape, bool keeps_text);

// How long the parts of one block take on one rank, in seconds.
struct BlockSeconds {
  double before = 0, attention = 0, after = 0;
  double shared = 0;          // a whole block that reuses the self-attention of the step's first forward
  double step = 0;            // what a step takes outside its blocks
  double waits = 0;           // share of a block for which the fastest rank waits for the slowest; 0: not measured
  int groups = 0;             // in how many groups of heads the measured block exchanged; 0: not known
  double with_exchanges = 0;  // a block as measured with its exchanges; 0: not measured
  double beside_copies = 0;   // the same while every rank copied weights in without a pause; 0: not measured
  double total() const { return before + attention + after; }
  // Multiplies the time of all computing. What the measured blocks take beyond their computing stays.
  void multiply_computing(double factor);
};

// Takes the times measured for the run's own shape where the machine has them, and otherwise works them out from the
// machine's rates. `draw` decides which value of each number is used. Throws bad_input, with a line that says what the
// machine lacks, when it has neither.
BlockSeconds block_seconds(const Machine& machine, const RunPlan& plan, Draw& draw);

}  // namespace wansweep
