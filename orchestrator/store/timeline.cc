#include "orchestrator/store/timeline.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/rank_rows.h"

namespace wansweep {
namespace {

int64_t find_attempt(Store& store, const std::string& run, const std::string& sweep) {
  SQLite::Statement query(store.db,
                          "SELECT a.id, p.name = ?2 FROM run r JOIN sweep p ON p.id = r.sweep_id JOIN attempt a ON "
                          "a.run_id = r.id AND a.n = (SELECT max(b.n) FROM attempt b WHERE b.run_id = r.id) WHERE "
                          "r.name = ?1 ORDER BY p.name = ?2 DESC");
  query.bind(1, run);
  query.bind(2, sweep);
  if (!query.executeStep()) {
    throw bad_input(fmt::format(
        "{}: holds no attempt of a run {}; list the runs with `wansweep query DB runs`, or give the directory of an "
        "attempt",
        store.path, run));
  }
  const int64_t id = query.getColumn(0).getInt64();
  const bool of_that_sweep = query.getColumn(1).getInt() == 1;
  if (!of_that_sweep && query.executeStep()) {
    throw bad_input(
        fmt::format("{}: several sweeps have a run {}; choose one with --sweep, or give the directory of an attempt",
                    store.path, run));
  }
  return id;
}

void load_memory(Store& store, int64_t rank_id, TraceRows& rows) {
  SQLite::Statement query(store.db,
                          "SELECT step, time_ns, device_used, device_peak, host_used, host_peak FROM memory "
                          "WHERE rank_id = ? ORDER BY n");
  query.bind(1, rank_id);
  const auto recorded = [&](int column) {
    return query.getColumn(column).isNull() ? not_recorded : query.getColumn(column).getInt64();
  };
  while (query.executeStep()) {
    rows.memory.push_back({query.getColumn(0).getInt(), query.getColumn(1).getInt64(), query.getColumn(2).getInt64(),
                           query.getColumn(3).getInt64(), recorded(4), recorded(5)});
  }
}

}  // namespace

Timeline read_timeline(const std::string& directory) {
  std::optional<AttemptRecords> records = read_attempt_records(directory);
  if (!records)
    throw bad_input(fmt::format("{}: is not the directory of an attempt: attempt.json is missing", directory));
  AttemptRows rows = read_attempt_rows(std::move(*records));
  if (rows.ranks.empty()) {
    throw bad_input(rows.problems.empty() ? fmt::format("{}: has no trace yet", directory) : rows.problems[0]);
  }
  Timeline timeline{fmt::format("{} attempt {}", rows.records.run, rows.records.number), {}};
  for (auto& [rank, one] : rows.ranks) timeline.ranks.push_back({rank, one.host, std::move(one.trace.rows)});
  return timeline;
}

Timeline load_timeline(Store& store, const std::string& run, const std::string& sweep) try {
  const int64_t attempt = find_attempt(store, run, sweep);
  Timeline timeline{run, {}};
  SQLite::Statement ranks(store.db, "SELECT id, rank, coalesce(host, '') FROM rank WHERE attempt_id = ? ORDER BY rank");
  ranks.bind(1, attempt);
  while (ranks.executeStep()) {
    const int64_t id = ranks.getColumn(0).getInt64();
    RankTimeline& one = timeline.ranks.emplace_back();
    one.rank = ranks.getColumn(1).getInt();
    one.host = ranks.getColumn(2).getString();
    one.rows.events = read_events(store, id);
    one.rows.steps = read_steps(store, id);
    load_memory(store, id, one.rows);
  }
  if (store.access) store.access->check_unchanged();
  return timeline;
} catch (const SQLite::Exception& exception) {
  throw store_error(store.path, exception);
}

}  // namespace wansweep
