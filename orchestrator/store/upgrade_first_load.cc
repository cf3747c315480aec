#include "orchestrator/store/upgrade_first_load.h"

#include <SQLiteCpp/Statement.h>

#include <map>
#include <string>
#include <vector>

#include "orchestrator/store/bind.h"
#include "orchestrator/store/rank_clocks.h"
#include "orchestrator/store/rank_rows.h"
#include "orchestrator/store/sums/first_load.h"

namespace wansweep {
namespace {

// Databases before version 4 hold traces of format 1 only.
constexpr int format = 1;

struct StoredRank {
  int64_t id = 0;
  int64_t first_event = 0;
  std::string host;
  TraceRows rows;  // events and the first step
};

struct StoredAttempt {
  int64_t id = 0;
  std::optional<OffloadMode> mode;
};

std::vector<StoredAttempt> all_attempts(Store& store) {
  std::vector<StoredAttempt> attempts;
  SQLite::Statement query(
      store.db,
      "SELECT a.id, coalesce(s.value, '') FROM attempt a LEFT JOIN setting s ON s.run_id = a.run_id "
      "AND s.name = 'offload' ORDER BY a.id");
  while (query.executeStep()) {
    attempts.push_back({query.getColumn(0).getInt64(), value_named<OffloadMode>(query.getColumn(1).getString())});
  }
  return attempts;
}

std::vector<StoredRank> ranks_of(Store& store, int64_t attempt) {
  std::vector<StoredRank> ranks;
  SQLite::Statement query(
      store.db,
      "SELECT r.id, coalesce(r.first_event, 0), coalesce(r.host, ''), s.step, s.start_ns, "
      "s.start_ns + s.duration_ns FROM rank r LEFT JOIN step s ON s.rank_id = r.id AND s.step = "
      "(SELECT min(f.step) FROM step f WHERE f.rank_id = r.id) WHERE r.attempt_id = ? ORDER BY r.rank");
  query.bind(1, attempt);
  while (query.executeStep()) {
    StoredRank& one = ranks.emplace_back();
    one.id = query.getColumn(0).getInt64();
    one.first_event = query.getColumn(1).getInt64();
    one.host = query.getColumn(2).getString();
    one.rows.events = read_events(store, one.id);
    if (query.getColumn(3).isNull()) continue;
    StepRow& first = one.rows.steps.emplace_back();
    first.step = query.getColumn(3).getInt();
    first.start_ns = query.getColumn(4).getInt64();
    first.end_ns = query.getColumn(5).getInt64();
  }
  return ranks;
}

void write_moved(Store& store, const StoredRank& one, const std::vector<EventRow>& before) {
  SQLite::Statement event(store.db, "UPDATE event SET step = ? WHERE id = ?");
  for (size_t i = 0; i < before.size(); ++i) {
    const int32_t step = one.rows.events[i].step;
    if (step != before[i].step) execute(event, int64_t{step}, one.first_event + static_cast<int64_t>(i));
  }
  if (one.rows.steps.empty()) return;
  const StepRow& first = one.rows.steps.front();
  SQLite::Statement step(store.db, "UPDATE step SET start_ns = ?, duration_ns = ? WHERE rank_id = ? AND step = ?");
  execute(step, first.start_ns, first.end_ns - first.start_ns, one.id, int64_t{first.step});
}

void count_stored_from(Store& store, int64_t origin, int64_t rank) {
  for (const char* sql :
       {"UPDATE event SET start_ns = start_ns - ?1 WHERE id BETWEEN (SELECT first_event FROM rank WHERE "
        "id = ?2) AND (SELECT first_event + events - 1 FROM rank WHERE id = ?2)",
        "UPDATE step SET start_ns = start_ns - ?1 WHERE rank_id = ?2",
        "UPDATE memory SET time_ns = time_ns - ?1 WHERE rank_id = ?2"}) {
    SQLite::Statement update(store.db, sql);
    execute(update, origin, rank);
  }
}

// Only steps 0 and 1 have changed; sums of the others stay as they were made, on the ranks' own clocks.
void write_step_sums(Store& store, const StoredRank& one) {
  std::map<int32_t, StepSummary> sums;
  for (const auto& [step, sum] : summarize_steps(one.rows.events)) {
    if (step <= 1) sums[step] = sum;
  }
  SQLite::Statement remove(store.db, "DELETE FROM step_summary WHERE rank_id = ? AND step <= 1");
  execute(remove, one.id);
  write_step_summary(store, one.id, sums, true);
}

void write_traffic_sums(Store& store, const std::vector<StoredRank>& ranks) {
  std::vector<HostedEvents> hosted;
  hosted.reserve(ranks.size());
  for (const StoredRank& one : ranks) hosted.push_back({&one.rows.events, one.host});
  const std::vector<Traffic> traffic = summarize_traffic(hosted);
  SQLite::Statement remove(store.db, "DELETE FROM traffic WHERE rank_id = ?");
  for (size_t i = 0; i < ranks.size(); ++i) {
    execute(remove, ranks[i].id);
    write_traffic(store, ranks[i].id, traffic[i]);
  }
}

void separate_first_load(Store& store, const StoredAttempt& attempt) {
  std::vector<StoredRank> ranks = ranks_of(store, attempt.id);
  bool any_moved = false;
  std::vector<const TraceRows*> all;
  SQLite::Statement load(store.db, "UPDATE rank SET first_load_ns = ?, first_load_bytes = ? WHERE id = ?");
  for (StoredRank& one : ranks) {
    const std::vector<EventRow> before = one.rows.events;
    if (correct_format_1(one.rows)) {
      begin_after_first_load(one.rows);
      write_moved(store, one, before);
      write_step_sums(store, one);
      any_moved = true;
    }
    const std::optional<FirstLoad> found = first_load_of(one.rows, format, attempt.mode);
    if (found) execute(load, found->duration_ns, found->bytes, one.id);
    all.push_back(&one.rows);
  }
  if (!any_moved) return;
  write_traffic_sums(store, ranks);
  if (const int64_t origin = origin_of(all); origin != 0) {
    for (const StoredRank& one : ranks) count_stored_from(store, origin, one.id);
  }
}

}  // namespace

void separate_first_loads(Store& store) {
  SQLite::Statement unknown(store.db, "UPDATE event SET block = -1 WHERE kind IN (?, ?) AND block <> -1");
  execute(unknown, static_cast<int64_t>(EventKind::h2d), static_cast<int64_t>(EventKind::d2h));
  for (const StoredAttempt& attempt : all_attempts(store))
    separate_first_load(store, attempt);  // one at a time: a gigabyte
}

}  // namespace wansweep
