#include "orchestrator/store/write_sums.h"

#include "orchestrator/store/bind.h"

namespace wansweep {
namespace {

template <typename Enum>
int64_t number(Enum value) {
  return static_cast<int64_t>(value);
}

void remove_sums(Store& store, int64_t attempt) {
  for (const char* sql :
       {"DELETE FROM step_part WHERE rank_id IN (SELECT id FROM rank WHERE attempt_id = ?)",
        "DELETE FROM traffic_rate WHERE attempt_id = ?", "DELETE FROM event_spread WHERE attempt_id = ?",
        "DELETE FROM largest_event WHERE attempt_id = ?"}) {
    SQLite::Statement remove(store.db, sql);
    execute(remove, attempt);
  }
}

}  // namespace

void write_sums(Store& store, int64_t attempt, const std::vector<WrittenRank>& ranks, const AttemptSums& sums) {
  remove_sums(store, attempt);
  SQLite::Statement part(store.db, "INSERT INTO step_part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (size_t r = 0; r < ranks.size(); ++r) {
    for (const auto& [step, p] : sums.parts[r]) {
      execute(part, ranks[r].id, int64_t{step}, p.compute, p.both, p.exchange, p.peers_beside_transfer, p.peers,
              p.transfer, p.host, p.idle);
    }
  }
  SQLite::Statement rate(store.db, "INSERT INTO traffic_rate VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, r] : sums.rates) {
    execute(rate, attempt, number(key.kind), int64_t{key.at_once}, number(key.condition), r.events, r.time_ns, r.rate,
            r.half_width);
  }
  SQLite::Statement spread(store.db, "INSERT INTO event_spread VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, s] : sums.spreads) {
    execute(spread, attempt, number(key.kind), number(key.cause), number(key.part), s.events, s.bytes, s.total_ns,
            s.p50_ns, s.p90_ns, s.p99_ns, s.max_ns);
  }
  SQLite::Statement event(store.db, "INSERT INTO largest_event VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, events] : sums.largest) {
    int64_t n = 0;
    for (const LargestEvent& one : events) {
      const WrittenRank& rank = ranks[one.rank];
      execute(event, attempt, number(key.first), number(key.second), ++n, rank.id,
              rank.first_event + static_cast<int64_t>(one.event), one.moving_ns);
    }
  }
}

}  // namespace wansweep
