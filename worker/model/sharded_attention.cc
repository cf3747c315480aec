// split() leaves q, k and v in parts, one for each Ulysses peer and group of heads. Group by group, scatter_heads
// exchanges tokens for heads, attend_ring attends to the k and v that are here while the next ones are under way, and
// gather_tokens exchanges back. The exchanges of all groups are enqueued before the first group attends, so that the
// comm stream moves one group's tokens while the compute stream attends with another's. Heads do not depend on the
// grouping, so the result is the same bit for bit. An exchange first waits for the compute stream: then the data that
// it sends is complete, and the data that arrives does not overwrite k and v that an earlier iteration still reads.
// This is why two buffers, swapped in each iteration, are enough. A group's output returns to the place of its q. All
// ranks must enqueue the same exchanges in the same order. Ring members differ in their valid tokens (the last ones may
// hold some padding, or only padding), but all send the same number of bytes.

#include "worker/model/sharded_attention.h"

#include <utility>
#include <vector>

namespace wansweep {

namespace {

// The groups are as even as possible: the first ones have one head more.
int heads_of_group(int heads, int groups, int group) { return heads / groups + (group < heads % groups ? 1 : 0); }

}  // namespace

ShardedAttention::ShardedAttention(const ModelContext& context)
    : device_(context.device),
      communicator_(context.communicator),
      recorder_(context.recorder),
      w_(context.workspace),
      plan_(context.plan()),
      place_(place_of(context.plan(), context.rank)),
      heads_(context.config().heads),
      head_dim_(context.config().head_dim),
      rows_(plan_.tokens_per_rank * plan_.ulysses),
      eps_(static_cast<float>(context.config().eps)),
      groups_(context.exchange_groups) {
  for (const int of_peer : plan_.heads_per_ulysses_rank) {
    for (int group = 0; group < groups_; ++group) part_heads_.push_back(heads_of_group(of_peer, groups_, group));
  }
}

int ShardedAttention::peer_of(int ring_index, int ulysses_index) const {
  return (place_.cfg_index * plan_.ring + ring_index) * plan_.ulysses + ulysses_index;
}

void ShardedAttention::split(Weight norm_q, Weight norm_k) {
  // On one rank q, k and v stay where the matrix product put them.
  const bool in_place = plan_.sequence_ranks() == 1;
  device_.ops().split_qkv({.type = w_.type,
                           .qkv = w_.wide,
                           .norm_q = norm_q,
                           .norm_k = norm_k,
                           .cos_sin = w_.rotary,
                           .q = in_place ? nullptr : w_.parts[0],
                           .k = in_place ? nullptr : w_.parts[1],
                           .v = in_place ? nullptr : w_.parts[2],
                           .parts = {part_heads_},
                           .rows = plan_.tokens_per_rank,
                           .heads = heads_,
                           .head_dim = head_dim_,
                           .eps = eps_});
}

void ShardedAttention::run(void* out, Place place) {
  const int64_t dim = int64_t{heads_} * head_dim_;
  const int64_t value = size_of(w_.type);
  if (plan_.sequence_ranks() == 1) {
    const Recorder::Span span = recorder_.begin(EventKind::attention, StreamId::compute, place);
    device_.ops().attention({.type = w_.type,
                             .q = {w_.wide, 3 * dim},
                             .k = {w_.wide + dim * value, 3 * dim},
                             .v = {w_.wide + 2 * dim * value, 3 * dim},
                             .out = out,
                             .q_rows = plan_.tokens_per_rank,
                             .kv_rows = plan_.tokens,
                             .heads = heads_,
                             .head_dim = head_dim_});
    recorder_.end(span);
    return;
  }
  // No rank waits for a copy here: it attends only when the block's weights are there.
  const Burst burst(*communicator_);
  if (plan_.ulysses == 1) {
    attend_ring({heads_, 0}, w_.parts[0], w_.parts[1], w_.parts[2], out, place);
    return;
  }
  std::vector<Event> arrived;
  for (int group = 0; group < groups_; ++group) arrived.push_back(scatter_heads(group, place));
  for (int group = 0; group < groups_; ++group) {
    recorder_.wait(arrived[static_cast<size_t>(group)], StallCause::peers, place);
    const Group own = own_group(group);
    const int64_t at = own.heads_before * rows_ * head_dim_ * value;
    attend_ring(own, w_.gathered[0] + at, w_.gathered[1] + at, w_.gathered[2] + at, w_.gathered[3] + at, place);
    gather_tokens(group, place);
  }
  recorder_.wait(device_.record(StreamId::comm), StallCause::peers, place);
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  device_.ops().merge_heads(w_.type, w_.parts[0], HeadParts{part_heads_}, out, plan_.tokens_per_rank, head_dim_);
  recorder_.end(span);
}

ShardedAttention::Group ShardedAttention::own_group(int group) const {
  Group own{heads_of_group(place_.head_count, groups_, group), 0};
  for (int before = 0; before < group; ++before) {
    own.heads_before += heads_of_group(place_.head_count, groups_, before);
  }
  return own;
}

// The compute stream waits for the exchange of its results. The whole exchange counts as a stall for peers, unless
// other work was enqueued in between.
void ShardedAttention::exchange(EventKind kind, Place place, std::span<const Exchange> exchanges) {
  device_.wait(StreamId::comm, device_.record(StreamId::compute));
  const Recorder::Span span = recorder_.begin(kind, StreamId::comm, place);
  communicator_->exchange(exchanges);
  int64_t sent = 0;
  for (const Exchange& each : exchanges)
    sent += each.peer == peer_of(place_.ring_index, place_.ulysses_index) ? 0 : each.send_bytes;
  recorder_.end(span, sent);
}

// The two pieces for each Ulysses peer: of our tokens, the peer's heads in the group, in `parts`; and of its tokens,
// our heads in the group, in `gathered`.
std::vector<ShardedAttention::PeerPieces> ShardedAttention::pieces_of(int group) const {
  const int64_t row = int64_t{head_dim_} * size_of(w_.type);
  const Group own = own_group(group);
  std::vector<PeerPieces> pieces;
  int64_t heads_before = 0;
  for (int peer = 0; peer < plan_.ulysses; ++peer) {
    for (int each = 0; each < groups_; ++each) {
      const int64_t part = part_heads_[static_cast<size_t>(peer * groups_ + each)];
      if (each == group) {
        pieces.push_back({.rank = peer_of(place_.ring_index, peer),
                          .part_at = plan_.tokens_per_rank * heads_before * row,
                          .part_bytes = plan_.tokens_per_rank * part * row,
                          .gathered_at = (rows_ * own.heads_before + peer * plan_.tokens_per_rank * own.heads) * row,
                          .gathered_bytes = plan_.tokens_per_rank * own.heads * row});
      }
      heads_before += part;
    }
  }
  return pieces;
}

// q, k and v: each Ulysses peer gets its heads of our tokens, and sends us our heads of its tokens.
Event ShardedAttention::scatter_heads(int group, Place place) {
  std::vector<Exchange> exchanges;
  for (const PeerPieces& each : pieces_of(group)) {
    for (int tensor = 0; tensor < 3; ++tensor) {
      exchanges.push_back({each.rank, w_.parts[tensor] + each.part_at, each.part_bytes,
                           w_.gathered[tensor] + each.gathered_at, each.gathered_bytes});
    }
  }
  exchange(EventKind::all_to_all, place, exchanges);
  return device_.record(StreamId::comm);
}

// The attention's output the other way: each peer gets its tokens of our heads.
void ShardedAttention::gather_tokens(int group, Place place) {
  std::vector<Exchange> exchanges;
  for (const PeerPieces& each : pieces_of(group)) {
    exchanges.push_back({each.rank, w_.gathered[3] + each.gathered_at, each.gathered_bytes, w_.parts[0] + each.part_at,
                         each.part_bytes});
  }
  exchange(EventKind::all_to_all, place, exchanges);
}

void ShardedAttention::attend_ring(Group group, const void* q, std::byte* k, std::byte* v, void* out, Place place) {
  const int heads = group.heads;
  const int64_t stride = int64_t{heads} * head_dim_;
  const int64_t value = size_of(w_.type);
  const int64_t bytes = rows_ * stride * value;
  const int64_t at = group.heads_before * rows_ * head_dim_;  // in the ring's buffers, in values
  std::byte *next_k = w_.ring_k + at * value, *next_v = w_.ring_v + at * value;
  const int to = peer_of((place_.ring_index + 1) % plan_.ring, place_.ulysses_index);
  const int from = peer_of((place_.ring_index + plan_.ring - 1) % plan_.ring, place_.ulysses_index);
  for (int turn = 0; turn < plan_.ring; ++turn) {
    const int member = (place_.ring_index + plan_.ring - turn) % plan_.ring;
    const bool more = turn + 1 < plan_.ring;
    if (more) {
      // Two messages to the next member and two from the one before; in a ring of two, both are the same peer.
      const std::vector<Exchange> exchanges{{to, k, bytes, nullptr, 0},
                                            {to, v, bytes, nullptr, 0},
                                            {from, nullptr, 0, next_k, bytes},
                                            {from, nullptr, 0, next_v, bytes}};
      exchange(EventKind::ring, place, exchanges);
    }
    const Event arrived = more ? device_.record(StreamId::comm) : Event();
    const Recorder::Span span = recorder_.begin(EventKind::attention, StreamId::compute, place);
    AttentionArguments attention{.type = w_.type,
                                 .q = {q, stride},
                                 .k = {k, stride},
                                 .v = {v, stride},
                                 .out = out,
                                 .q_rows = rows_,
                                 .kv_rows = valid_tokens_of_ring_member(plan_, member),
                                 .heads = heads,
                                 .head_dim = head_dim_,
                                 .heads_of_all_groups = plan_.ulysses > 1 ? place_.head_count : heads_};
    if (plan_.ring > 1) {
      attention.out = w_.ring_part;
      attention.lse = w_.ring_part_lse;
    }
    device_.ops().attention(attention);
    if (plan_.ring > 1) {
      device_.ops().merge_attention({.type = w_.type,
                                     .part = w_.ring_part,
                                     .part_lse = w_.ring_part_lse,
                                     .acc = w_.ring_sum + at,
                                     .acc_lse = w_.ring_sum_lse + at / head_dim_,
                                     .out = out,
                                     .first = turn == 0,
                                     .last = !more,
                                     .rows = rows_,
                                     .heads = heads,
                                     .head_dim = head_dim_});
    }
    recorder_.end(span);
    if (more) {
      recorder_.wait(arrived, StallCause::peers, place);
      std::swap(k, next_k);
      std::swap(v, next_v);
    }
  }
}

}  // namespace wansweep
