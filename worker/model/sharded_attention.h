// Self-attention over a sequence that is spread over ranks: Ulysses (an all-to-all exchanges tokens for heads) inside
// ring groups (k and v are passed round, and partial results are merged by their log-sum-exps). The heads that a rank
// attends with may be cut into groups: then the all-to-alls of one group run while another attends (arXiv 2607.01817).
#pragma once

#include <vector>

#include "worker/model/context.h"

namespace wansweep {

class ShardedAttention {
 public:
  explicit ShardedAttention(const ModelContext& context);

  // Normalises, rotates and splits workspace.wide (q, k, v side by side).
  void split(Weight norm_q, Weight norm_k);

  // Attends with the parts that split() left, and writes the result, dense [M, D], to `out`.
  void run(void* out, Place place);

 private:
  struct Group {
    int heads = 0;
    int64_t heads_before = 0;  // number of this rank's heads in the groups before
  };
  struct PeerPieces {  // positions and sizes in bytes
    int rank = 0;
    int64_t part_at = 0, part_bytes = 0;
    int64_t gathered_at = 0, gathered_bytes = 0;
  };

  Group own_group(int group) const;
  std::vector<PeerPieces> pieces_of(int group) const;
  void exchange(EventKind kind, Place place, std::span<const Exchange> exchanges);
  Event scatter_heads(int group, Place place);  // the event is complete when the group's heads have arrived
  void gather_tokens(int group, Place place);
  void attend_ring(Group group, const void* q, std::byte* k, std::byte* v, void* out, Place place);
  int peer_of(int ring_index, int ulysses_index) const;

  Device& device_;
  Communicator* communicator_;
  Recorder& recorder_;
  Workspace& w_;
  const ParallelPlan& plan_;
  RankPlace place_;
  int heads_;
  int head_dim_;
  int64_t rows_;  // rows that a rank attends with: the tokens of its Ulysses group
  float eps_;
  int groups_;
  std::vector<int> part_heads_;  // number of heads, by Ulysses peer and group
};

}  // namespace wansweep
