// How N ranks share one forward (CFG groups x ring groups x Ulysses groups), and which rank holds which tokens and
// heads.
//
// The flattened (frame, row, column) sequence of tokens is padded at its end and cut into contiguous chunks, one for
// each rank of a sequence group. Rank order: rank = (cfg_index * ring + ring_index) * ulysses + ulysses_index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wansweep {

struct ParallelRequest {
  int ranks = 1;
  bool cfg_parallel = false;   // cond and uncond on two halves of the ranks
  std::optional<int> ulysses;  // unset: make_parallel_plan chooses
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
  std::string why;                          // "as set", or why these numbers were chosen

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
  int64_t valid_tokens = 0;  // tokens of the chunk that are not padding
  int head_begin = 0;        // first of the heads that this rank attends with
  int head_count = 0;
};

// Left unset, ulysses becomes the largest divisor of the number of sequence ranks that also divides the heads, and ring
// the quotient: Ulysses moves fewer bytes than ring. Throws bad_input, naming the setting, when the numbers cannot
// work: ulysses x ring is not the number of sequence ranks, there are more Ulysses ranks than heads, or CFG is split
// over an odd number of ranks.
ParallelPlan make_parallel_plan(const ParallelRequest& request);

RankPlace place_of(const ParallelPlan& plan, int rank);

// The number of tokens that are not padding, over all Ulysses ranks of ring member `ring_index`: ring attention masks
// the others.
int64_t valid_tokens_of_ring_member(const ParallelPlan& plan, int ring_index);

}  // namespace wansweep
