// Self-attention over a sequence that is spread over ranks: Ulysses (all-to-all: heads for tokens) inside ring groups
// (k and v go round, partial results are merged through their log-sum-exps).
#pragma once

#include "worker/model/context.h"

namespace wansweep {

class ShardedAttention {
 public:
  explicit ShardedAttention(const ModelContext& context);

  // Norms, rotates and splits workspace.wide (q, k, v side by side).
  void split(Weight norm_q, Weight norm_k);

  // Attends with what split() left; the result, dense [M, D], goes to `out`.
  void run(void* out, Place place);

 private:
  void exchange(EventKind kind, Place place, std::span<const Exchange> exchanges);
  void scatter_heads(Place place);
  void gather_tokens(void* out, Place place);
  void attend_ring(const void* q, std::byte* k, std::byte* v, void* out, Place place);
  int peer_of(int ring_index, int ulysses_index) const;

  Device& device_;
  Communicator* communicator_;
  Recorder& recorder_;
  Workspace& w_;
  const ParallelPlan& plan_;
  RankPlace place_;
  int heads_;
  int head_dim_;
  float eps_;
};

}  // namespace wansweep
