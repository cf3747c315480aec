#include "orchestrator/store/sums/exchange_start.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "orchestrator/store/sums/intervals.h"

namespace wansweep {
namespace {

// One exchange of a rank, with the name that it has on all ranks of its group.
struct Posted {
  int32_t step;
  int16_t forward, block;
  EventKind kind;
  uint32_t turn;   // of those with the same name so far, from 0
  uint32_t event;  // its index among the rank's
  int64_t start;
  auto name() const { return std::tie(step, forward, block, kind); }
  auto key() const { return std::tie(step, forward, block, kind, turn); }
};

std::vector<Posted> posted_by(const std::vector<EventRow>& events) {
  std::vector<Posted> posted;
  for (size_t i = 0; i < events.size(); ++i) {
    const EventRow& e = events[i];
    if (is_between_ranks(e.kind)) {
      posted.push_back({e.step, e.forward, e.block, e.kind, 0, static_cast<uint32_t>(i), e.start_ns});
    }
  }
  std::stable_sort(posted.begin(), posted.end(), [](const Posted& a, const Posted& b) { return a.name() < b.name(); });
  for (size_t i = 1; i < posted.size(); ++i) {
    if (posted[i].name() == posted[i - 1].name()) posted[i].turn = posted[i - 1].turn + 1;
  }
  return posted;
}

// Whether `peer` must have arrived before data of this exchange of rank `of` can move.
bool needs(const RankEvents& of, const RankEvents& peer, const Posted& exchange, const Spread& spread) {
  if (exchange.kind == EventKind::weight_parts) return !of.host.empty() && of.host == peer.host;
  const int64_t rank = of.rank, other = peer.rank;
  if (!spread.ulysses || !spread.ring || *spread.ulysses < 1 || *spread.ring < 1) return true;
  const int64_t ulysses = *spread.ulysses, ring = *spread.ring;
  const bool same_half = rank / (ulysses * ring) == other / (ulysses * ring);
  if (exchange.kind == EventKind::ring) {
    const int64_t apart = (other / ulysses % ring - rank / ulysses % ring + ring) % ring;
    return same_half && rank % ulysses == other % ulysses && (apart == 1 || apart == ring - 1);
  }
  if (exchange.block < 0 && spread.cfg > 1) return !same_half && rank % (ulysses * ring) == other % (ulysses * ring);
  return rank / ulysses == other / ulysses;
}

}  // namespace

std::vector<std::vector<int64_t>> moving_since(const AttemptEvents& attempt) {
  const std::vector<RankEvents>& ranks = attempt.ranks;
  std::vector<std::vector<Posted>> posted;
  std::vector<std::vector<int64_t>> since;
  for (const RankEvents& rank : ranks) {
    posted.push_back(posted_by(*rank.events));
    std::vector<int64_t>& starts = since.emplace_back();
    starts.reserve(rank.events->size());
    for (const EventRow& e : *rank.events) starts.push_back(e.start_ns);
  }
  for (size_t r = 0; r < ranks.size(); ++r) {
    for (size_t p = 0; p < ranks.size(); ++p) {
      if (p == r) continue;
      auto theirs = posted[p].begin();
      for (const Posted& own : posted[r]) {
        while (theirs != posted[p].end() && theirs->key() < own.key()) ++theirs;
        if (theirs == posted[p].end()) break;
        if (theirs->key() != own.key() || !needs(ranks[r], ranks[p], own, attempt.spread)) continue;
        const int64_t latest = std::min(theirs->start, (*ranks[r].events)[own.event].end_ns);
        since[r][own.event] = std::max(since[r][own.event], latest);
      }
    }
  }
  return since;
}

}  // namespace wansweep
