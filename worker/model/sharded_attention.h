// Self-attention over a sequence that is spread over ranks: Ulysses (all-to-all: heads for tokens) inside ring groups
// (k and v go round, partial results are merged through their log-sum-exps).
#pragma once

#include "schema/parallel_plan.h"
#include "worker/comm/communicator.h"
#include "worker/device/device.h"
#include "worker/model/workspace.h"
#include "worker/trace/recorder.h"

namespace wansweep {

class ShardedAttention {
 public:
  // `communicator` may be null on one rank.
  ShardedAttention(Device& device, Communicator* communicator, Recorder& recorder, Workspace& workspace,
                   const ParallelPlan& plan, int rank, const ModelConfig& config);

  // Norms, rotates and splits workspace.wide (q, k, v side by side).
  void split(Weight norm_q, Weight norm_k);

  // Attends with what split() left; the result, dense [M, D], goes to `out`.
  void run(void* out);

 private:
  void exchange(EventKind kind, std::span<const Exchange> exchanges);
  void scatter_heads();
  void gather_tokens(void* out);
  void attend_ring(const void* q, std::byte* k, std::byte* v, void* out);
  int peer_of(int ring_index, int ulysses_index) const;

  Device& device_;
  Communicator* communicator_;
  Recorder& recorder_;
  Workspace& w_;
  ParallelPlan plan_;
  RankPlace place_;
  int heads_;
  int head_dim_;
  float eps_;
};

}  // namespace wansweep
