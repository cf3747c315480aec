// Floating-point operations of a run's matrix products and attention, a multiplication and an addition counted as two.
// What has no name here (norms, rotary embeddings, the scheduler) is a thousandth of them.
#pragma once

#include <cstdint>

#include "schema/model_config.h"

namespace wansweep {

struct LoopWork {
  int64_t tokens = 0;       // N: of one forward, over all ranks, without padding
  int64_t text_tokens = 0;  // M
  int64_t steps = 0;
  bool guided = false;              // two forwards a step
  int64_t sequence_ranks = 1;       // that share a forward: each makes the text's keys and values for itself
  bool one_rank_makes_both = true;  // forwards of a guided step: then the second takes from the first what comes before
                                    // its first cross-attention
};

struct Operations {
  double products = 0;
  double attention = 0;
};

// Of all steps and all ranks. Of one forward with L layers of width D and feed-forward width F (arXiv 2503.20314,
// section 4.2; the sizes are those of diffusers' WanTransformer3DModel):
//
//   products    L (2 N D 3D + 2 N D D     self-attention: q, k, v; output
//                + 2 N D D + 2 M D 2D     cross-attention: q; the text's k and v, on each sequence rank
//                + 2 N D D                its output
//                + 2 N D F + 2 N F D)     feed-forward
//               + 2 N P D + 2 N D P       patches of P values to tokens, and back
//   attention   L (4 N N D + 4 N M D)     q k^T and its product with v: of the tokens, and of the text (Dao,
//   "FlashAttention-2",
//                                         arXiv 2307.08691, section 4.1, counts the same)
//
// Embeddings of text and time are left out: one a step or fewer, of a few tokens.
Operations operations_of(const ModelConfig& config, const LoopWork& work);

}  // namespace wansweep
