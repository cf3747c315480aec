#include "worker/model/sharded_attention.h"

#include <utility>
#include <vector>

namespace wansweep {

ShardedAttention::ShardedAttention(Device& device, Communicator* communicator, Recorder& recorder, Workspace& workspace,
                                   const ParallelPlan& plan, int rank, const ModelConfig& config)
    : device_(device),
      communicator_(communicator),
      recorder_(recorder),
      w_(workspace),
      plan_(plan),
      place_(place_of(plan, rank)),
      heads_(config.heads),
      head_dim_(config.head_dim),
      eps_(static_cast<float>(config.eps)) {}

int ShardedAttention::peer_of(int ring_index, int ulysses_index) const {
  return (place_.cfg_index * plan_.ring + ring_index) * plan_.ulysses + ulysses_index;
}

void ShardedAttention::split(Weight norm_q, Weight norm_k) {
  // On one rank q, k and v stay where the matrix product put them.
  const bool in_place = plan_.sequence_ranks() == 1;
  device_.ops().split_qkv(w_.type, w_.wide, norm_q, norm_k, w_.rotary, in_place ? nullptr : w_.parts[0],
                          in_place ? nullptr : w_.parts[1], in_place ? nullptr : w_.parts[2],
                          HeadParts{plan_.heads_per_ulysses_rank}, plan_.tokens_per_rank, heads_, head_dim_, eps_);
}

void ShardedAttention::run(void* out) {
  const int64_t dim = int64_t{heads_} * head_dim_;
  const int64_t value = size_of(w_.type);
  if (plan_.sequence_ranks() == 1) {
    const Recorder::Span span = recorder_.begin(EventKind::attention, StreamId::compute);
    device_.ops().attention(w_.type, {w_.wide, 3 * dim}, {w_.wide + dim * value, 3 * dim},
                            {w_.wide + 2 * dim * value, 3 * dim}, out, nullptr, plan_.tokens_per_rank, plan_.tokens,
                            heads_, head_dim_);
    recorder_.end(span);
    return;
  }
  if (plan_.ulysses == 1) {
    attend_ring(w_.parts[0], w_.parts[1], w_.parts[2], out);
    return;
  }
  scatter_heads();
  attend_ring(w_.gathered[0], w_.gathered[1], w_.gathered[2], w_.gathered[3]);
  gather_tokens(out);
}

// What the compute stream made is sent, and what arrives is waited for: all of it counts as a stall for peers, unless
// other work was enqueued in between.
void ShardedAttention::exchange(EventKind kind, std::span<const Exchange> exchanges) {
  device_.wait(StreamId::comm, device_.record(StreamId::compute));
  const Recorder::Span span = recorder_.begin(kind, StreamId::comm);
  communicator_->exchange(exchanges);
  int64_t sent = 0;
  for (const Exchange& each : exchanges)
    sent += each.peer == peer_of(place_.ring_index, place_.ulysses_index) ? 0 : each.send_bytes;
  recorder_.end(span, sent);
}

// q, k and v: each Ulysses peer gets its heads of our tokens, and sends us our heads of its tokens.
void ShardedAttention::scatter_heads() {
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
  exchange(EventKind::all_to_all, exchanges);
  recorder_.wait(device_.record(StreamId::comm), StallCause::peers);
}

// The attention's output the other way: each peer gets its tokens of our heads.
void ShardedAttention::gather_tokens(void* out) {
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
  exchange(EventKind::all_to_all, exchanges);
  recorder_.wait(device_.record(StreamId::comm), StallCause::peers);
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  device_.ops().merge_heads(w_.type, w_.parts[0], HeadParts{plan_.heads_per_ulysses_rank}, out, plan_.tokens_per_rank,
                            head_dim_);
  recorder_.end(span);
}

void ShardedAttention::attend_ring(const void* q, std::byte* k, std::byte* v, void* out) {
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
      exchange(EventKind::ring, exchanges);
    }
    const Event arrived = more ? device_.record(StreamId::comm) : Event();
    const Recorder::Span span = recorder_.begin(EventKind::attention, StreamId::compute);
    const int64_t valid = valid_tokens_of_ring_member(plan_, member);
    if (plan_.ring == 1) {
      device_.ops().attention(w_.type, {q, stride}, {k, stride}, {v, stride}, out, nullptr, rows, valid, heads,
                              head_dim_);
    } else {
      device_.ops().attention(w_.type, {q, stride}, {k, stride}, {v, stride}, w_.ring_part, w_.ring_part_lse, rows,
                              valid, heads, head_dim_);
      device_.ops().merge_attention(w_.type, w_.ring_part, w_.ring_part_lse, w_.ring_sum, w_.ring_sum_lse, out,
                                    turn == 0, !more, rows, heads, head_dim_);
    }
    recorder_.end(span);
    if (more) {
      recorder_.wait(arrived, StallCause::peers);
      std::swap(k, next_k);
      std::swap(v, next_v);
    }
  }
}

}  // namespace wansweep
