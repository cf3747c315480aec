// split() leaves q, k and v in parts, one a Ulysses peer; scatter_heads trades tokens for heads; attend_ring attends to
// the k and v that are here while the next ones are under way; gather_tokens trades back.
// An exchange first waits for the compute stream. That makes what it sends complete, and also keeps what arrives from
// overwriting k and v that an earlier turn still reads: two buffers, swapped each turn, are enough for that reason
// only. All ranks of a group must post the same exchanges in the same order. Ring members differ in their valid tokens
// (the last ones may have padding, or nothing else), never in the size of what they send.

#include "worker/model/sharded_attention.h"

#include <utility>
#include <vector>

namespace wansweep {

ShardedAttention::ShardedAttention(const ModelContext& context)
    : device_(context.device),
      communicator_(context.communicator),
      recorder_(context.recorder),
      w_(context.workspace),
      plan_(context.plan()),
      place_(place_of(context.plan(), context.rank)),
      heads_(context.config().heads),
      head_dim_(context.config().head_dim),
      eps_(static_cast<float>(context.config().eps)) {}

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
                           .parts = {plan_.heads_per_ulysses_rank},
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
  if (plan_.ulysses == 1) {
    attend_ring(w_.parts[0], w_.parts[1], w_.parts[2], out, place);
    return;
  }
  scatter_heads(place);
  attend_ring(w_.gathered[0], w_.gathered[1], w_.gathered[2], w_.gathered[3], place);
  gather_tokens(out, place);
}

// What the compute stream made is sent, and what arrives is waited for: all of it counts as a stall for peers, unless
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

// q, k and v: each Ulysses peer gets its heads of our tokens, and sends us our heads of its tokens.
void ShardedAttention::scatter_heads(Place place) {
  const int64_t row = int64_t{head_dim_} * size_of(w_.type);
  std::vector<Exchange> exchanges;
  int64_t heads_before = 0;
  for (int peer = 0; peer < plan_.ulysses; ++peer) {
    const int64_t peer_heads = plan_.heads_per_ulysses_rank[static_cast<size_t>(peer)];
    const int64_t received = plan_.tokens_per_rank * place_.head_count * row;
    for (int tensor = 0; tensor < 3; ++tensor) {
      exchanges.push_back({peer_of(place_.ring_index, peer),
                           w_.parts[tensor] + plan_.tokens_per_rank * heads_before * row,
                           plan_.tokens_per_rank * peer_heads * row, w_.gathered[tensor] + peer * received, received});
    }
    heads_before += peer_heads;
  }
  exchange(EventKind::all_to_all, place, exchanges);
  recorder_.wait(device_.record(StreamId::comm), StallCause::peers, place);
}

// The attention's output the other way: each peer gets its tokens of our heads.
void ShardedAttention::gather_tokens(void* out, Place place) {
  const int64_t row = int64_t{head_dim_} * size_of(w_.type);
  std::vector<Exchange> exchanges;
  int64_t heads_before = 0;
  for (int peer = 0; peer < plan_.ulysses; ++peer) {
    const int64_t peer_heads = plan_.heads_per_ulysses_rank[static_cast<size_t>(peer)];
    const int64_t sent = plan_.tokens_per_rank * place_.head_count * row;
    exchanges.push_back({peer_of(place_.ring_index, peer), w_.gathered[3] + peer * sent, sent,
                         w_.parts[0] + plan_.tokens_per_rank * heads_before * row,
                         plan_.tokens_per_rank * peer_heads * row});
    heads_before += peer_heads;
  }
  exchange(EventKind::all_to_all, place, exchanges);
  recorder_.wait(device_.record(StreamId::comm), StallCause::peers, place);
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  device_.ops().merge_heads(w_.type, w_.parts[0], HeadParts{plan_.heads_per_ulysses_rank}, out, plan_.tokens_per_rank,
                            head_dim_);
  recorder_.end(span);
}

void ShardedAttention::attend_ring(const void* q, std::byte* k, std::byte* v, void* out, Place place) {
  const int heads = place_.head_count;
  const int64_t stride = int64_t{heads} * head_dim_;
  const int64_t rows = plan_.tokens_per_rank * plan_.ulysses;
  const int64_t bytes = rows * stride * size_of(w_.type);
  std::byte *next_k = w_.ring_k, *next_v = w_.ring_v;
  const int to = peer_of((place_.ring_index + 1) % plan_.ring, place_.ulysses_index);
  const int from = peer_of((place_.ring_index + plan_.ring - 1) % plan_.ring, place_.ulysses_index);
  for (int turn = 0; turn < plan_.ring; ++turn) {
    const int member = (place_.ring_index + plan_.ring - turn) % plan_.ring;
    const bool more = turn + 1 < plan_.ring;
    if (more) {
      // Two messages one way, two the other; in a ring of two, both with the same peer.
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
                                 .q_rows = rows,
                                 .kv_rows = valid_tokens_of_ring_member(plan_, member),
                                 .heads = heads,
                                 .head_dim = head_dim_};
    if (plan_.ring > 1) {
      attention.out = w_.ring_part;
      attention.lse = w_.ring_part_lse;
    }
    device_.ops().attention(attention);
    if (plan_.ring > 1) {
      device_.ops().merge_attention({.type = w_.type,
                                     .part = w_.ring_part,
                                     .part_lse = w_.ring_part_lse,
                                     .acc = w_.ring_sum,
                                     .acc_lse = w_.ring_sum_lse,
                                     .out = out,
                                     .first = turn == 0,
                                     .last = !more,
                                     .rows = rows,
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
