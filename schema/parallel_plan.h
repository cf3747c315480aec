// How N ranks share one forward: CFG groups x ring groups x Ulysses groups, and who holds which tokens and heads.
//
// Tokens of the flattened (frame, row, column) sequence are padded at the tail and cut in contiguous chunks, one a rank
// of a sequence group. Rank order: rank = (cfg_index * ring + ring_index) * ulysses + ulysses_index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wansweep {

struct ParallelRequest {
  int ranks = 1;
  bool cfg_parallel = false;   // cond and uncond on two halves of the ranks
  std::optional<int> ulysses;  // unset: chosen, see make_parallel_plan
  std::optional<int> ring;
  int heads = 0;
  int64_t tokens = 0;  // before padding
};

struct ParallelPlan {
  int ranks = 1;
  int cfg = 1;
  int ulysses = 1;
  int ring = 1;
  int heads = 0;
  int64_t tokens = 0;
  int64_t tokens_per_rank = 0;              // with padding
  std::vector<int> heads_per_ulysses_rank;  // uneven when ulysses does not divide heads: the first ones hold one more
  std::string why;                          // one phrase: asked for, or why this one was chosen

  int sequence_ranks() const { return ulysses * ring; }
  int64_t padded_tokens() const { return tokens_per_rank * sequence_ranks(); }
  // "ulysses 2 x ring 3", with "cfg 2 x " in front when the guidance is split.
  std::string name() const;
};

struct RankPlace {
  int cfg_index = 0;
  int ring_index = 0;
  int ulysses_index = 0;
  int64_t token_begin = 0;   // of this rank's chunk
  int64_t valid_tokens = 0;  // of the chunk's tokens_per_rank, those that are not padding
  int head_begin = 0;        // of the heads that this rank attends with
  int head_count = 0;
};

// Left open, ulysses becomes the largest divisor of the sequence ranks that divides the heads, and ring the rest:
// Ulysses moves fewer bytes. Throws bad_input when the numbers cannot work (ulysses x ring is not the ranks there are;
// more Ulysses ranks than heads; CFG over an odd number of ranks), naming each.
ParallelPlan make_parallel_plan(const ParallelRequest& request);

RankPlace place_of(const ParallelPlan& plan, int rank);

// Valid (not padded) tokens held by all Ulysses ranks of ring member `ring_index` together: what ring attention masks
// by.
int64_t valid_tokens_of_ring_member(const ParallelPlan& plan, int ring_index);

}  // namespace wansweep
