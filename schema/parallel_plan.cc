#include "schema/parallel_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

std::string ParallelPlan::name() const {
  return fmt::format("{}ulysses {} x ring {}", cfg > 1 ? "cfg 2 x " : "", ulysses, ring);
}

ParallelPlan make_parallel_plan(const ParallelRequest& request) {
  ParallelPlan plan;
  plan.ranks = request.ranks;
  plan.heads = request.heads;
  plan.tokens = request.tokens;
  plan.cfg = request.cfg_parallel ? 2 : 1;
  if (request.ranks % plan.cfg != 0)
    throw bad_input(fmt::format("ranks is {}; cfg_parallel needs an even number of ranks", request.ranks));
  const int sequence = request.ranks / plan.cfg;
  plan.why = "as set";
  if (request.ulysses) {
    plan.ulysses = *request.ulysses;
    plan.ring = request.ring.value_or(sequence / std::max(1, plan.ulysses));
  } else if (request.ring) {
    plan.ring = *request.ring;
    plan.ulysses = sequence / std::max(1, plan.ring);
  } else {
    for (int u = 1; u <= sequence; ++u) {
      if (sequence % u == 0 && request.heads % u == 0) plan.ulysses = u;
    }
    plan.ring = sequence / plan.ulysses;
    plan.why = fmt::format("the most Ulysses ranks that divide {} heads", request.heads);
  }
  const auto divides = [&](const char* name, const std::optional<int>& ranks) {
    if (ranks && (*ranks < 1 || sequence % *ranks != 0)) {
      throw bad_input(
          fmt::format("{} is {}; it must divide {}, the number of ranks that share the sequence (ranks is {})", name,
                      *ranks, sequence, request.ranks));
    }
  };
  if (!request.ulysses || !request.ring) {
    divides("ulysses", request.ulysses);
    divides("ring", request.ring);
  }
  if (plan.ulysses < 1 || plan.ring < 1 || plan.ulysses * plan.ring != sequence) {
    throw bad_input(fmt::format(
        "ulysses {} x ring {} makes {} ranks; {} are needed, the number that shares the sequence (ranks is {})",
        plan.ulysses, plan.ring, plan.ulysses * plan.ring, sequence, request.ranks));
  }
  if (plan.ulysses > request.heads)
    throw bad_input(fmt::format("ulysses is {}; the model has only {} heads", plan.ulysses, request.heads));
  plan.tokens_per_rank = (request.tokens + sequence - 1) / sequence;
  for (int i = 0; i < plan.ulysses; ++i)
    plan.heads_per_ulysses_rank.push_back(request.heads / plan.ulysses + (i < request.heads % plan.ulysses ? 1 : 0));
  return plan;
}

RankPlace place_of(const ParallelPlan& plan, int rank) {
  RankPlace place;
  place.ulysses_index = rank % plan.ulysses;
  place.ring_index = rank / plan.ulysses % plan.ring;
  place.cfg_index = rank / plan.sequence_ranks();
  place.token_begin = (rank % plan.sequence_ranks()) * plan.tokens_per_rank;
  place.valid_tokens = std::clamp<int64_t>(plan.tokens - place.token_begin, 0, plan.tokens_per_rank);
  for (int i = 0; i < place.ulysses_index; ++i) place.head_begin += plan.heads_per_ulysses_rank[static_cast<size_t>(i)];
  place.head_count = plan.heads_per_ulysses_rank[static_cast<size_t>(place.ulysses_index)];
  return place;
}

int64_t valid_tokens_of_ring_member(const ParallelPlan& plan, int ring_index) {
  const int64_t rows = plan.tokens_per_rank * plan.ulysses;
  return std::clamp<int64_t>(plan.tokens - ring_index * rows, 0, rows);
}

}  // namespace wansweep
