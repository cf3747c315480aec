// Events are nearly all of the database, so their rows name no rank: a rank's are one range of ids, which its row in
// table rank holds (first_event, events). The range has no gaps only because an attempt is written in one transaction,
// which the caller holds; remove_ranks deletes by the range for the same reason.
// INSERT names no columns: the order of values here is that of schema/sql/results.sql, and both change together.

#include "orchestrator/store/rank_rows.h"

#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <memory>

#include "orchestrator/store/bind.h"

namespace wansweep {
namespace {

using RawStatement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

RawStatement prepare_event_insert(sqlite3* db, size_t rows) {
  std::string sql = "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  for (size_t i = 1; i < rows; ++i) sql += ", (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(db, code);
  return {statement, sqlite3_finalize};
}

// Many rows a statement, and past SQLiteCpp, whose binds check and may throw: this loop is all that gathering waits
// for. SQLite gives each row the id after the last one, which is a range within a transaction, and cheaper than to look
// whether an id of ours is taken.
void write_events(Store& store, const std::vector<EventRow>& events) {
  constexpr size_t rows_a_statement = 64;
  sqlite3* db = store.db.getHandle();
  const RawStatement many = prepare_event_insert(db, rows_a_statement);
  const RawStatement one = prepare_event_insert(db, 1);
  for (size_t i = 0; i < events.size();) {
    const size_t rows = events.size() - i >= rows_a_statement ? rows_a_statement : 1;
    sqlite3_stmt* s = rows == 1 ? one.get() : many.get();
    int at = 0;
    for (const size_t end = i + rows; i < end; ++i) {
      const EventRow& e = events[i];
      sqlite3_bind_int(s, ++at, e.step);
      sqlite3_bind_int(s, ++at, e.forward);
      sqlite3_bind_int(s, ++at, e.block);
      sqlite3_bind_int(s, ++at, static_cast<int>(e.kind));
      sqlite3_bind_int(s, ++at, static_cast<int>(e.cause));
      sqlite3_bind_int(s, ++at, static_cast<int>(e.stream));
      sqlite3_bind_int(s, ++at, e.expert);
      sqlite3_bind_int64(s, ++at, e.start_ns);
      sqlite3_bind_int64(s, ++at, e.end_ns - e.start_ns);
      sqlite3_bind_int64(s, ++at, e.bytes);
    }
    const int code = sqlite3_step(s);
    if (code != SQLITE_DONE) throw SQLite::Exception(db, code);
    sqlite3_reset(s);
  }
}

}  // namespace

namespace {

std::optional<int64_t> recorded(int64_t bytes) { return bytes != not_recorded ? std::optional(bytes) : std::nullopt; }

}  // namespace

WrittenRank write_rank(Store& store, int64_t attempt, int rank, const RankRows& rows) {
  const TraceRows& trace = rows.trace.rows;
  const ClockRow* at_start = nullptr;
  const ClockRow* at_end = nullptr;
  for (const ClockRow& row : trace.clock) (row.at_end == 0 ? at_start : at_end) = &row;
  const int64_t first_event = store.db.execAndGet("SELECT coalesce(max(id), 0) + 1 FROM event").getInt64();
  SQLite::Statement insert(store.db,
                           "INSERT INTO rank VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
  const auto count = [](size_t rows_there) { return static_cast<int64_t>(rows_there); };
  int i = 0;
  const auto put = [&](const auto& value) { bind(insert, ++i, value); };
  // A parameter that is not bound is NULL.
  const auto put_clock = [&](const ClockRow* row, int64_t ClockRow::*member) {
    ++i;
    if (row != nullptr) bind(insert, i, row->*member);
  };
  put(attempt), put(int64_t{rank});
  put(rows.host.empty() ? std::nullopt : std::optional(rows.host));
  put_clock(at_start, &ClockRow::offset_ns);
  put_clock(at_end, &ClockRow::offset_ns);
  put_clock(at_start, &ClockRow::round_trip_ns);
  put(rows.trace.environment_json), put(rows.sha256), put(rows.bytes), put(count(trace.steps.size()));
  put(count(trace.events.size())), put(count(trace.memory.size())), put(first_event);
  put(rows.first_load ? std::optional(rows.first_load->duration_ns) : std::nullopt);
  put(rows.first_load ? std::optional(rows.first_load->bytes) : std::nullopt);
  insert.executeStep();
  const int64_t id = insert.getColumn(0).getInt64();
  insert.reset();

  SQLite::Statement step(store.db, "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const StepRow& s : trace.steps) {
    const bool placed = s.timestep != 0 || s.sigma != 0;
    execute(step, id, int64_t{s.step}, s.expert != 0 ? std::optional(int64_t{s.expert}) : std::nullopt,
            placed ? std::optional(int64_t{s.timestep}) : std::nullopt,
            placed ? std::optional(double{s.sigma}) : std::nullopt, s.start_ns, s.end_ns - s.start_ns);
  }
  SQLite::Statement memory(store.db, "INSERT INTO memory VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  int64_t n = 0;
  for (const MemoryRow& m : trace.memory) {
    execute(memory, id, ++n, int64_t{m.step}, m.time_ns, m.device_used, m.device_peak, recorded(m.host_used),
            recorded(m.host_peak));
  }
  SQLite::Statement power(store.db, "INSERT INTO power VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  n = 0;
  for (const PowerRow& p : trace.power) {
    execute(power, id, ++n, int64_t{p.step}, p.time_ns, p.energy_mj, int64_t{p.power_mw}, int64_t{p.sm_clock_mhz},
            int64_t{p.temperature_c});
  }
  write_step_summary(store, id, rows.summary, rows.of_worker);
  SQLite::Statement environment(store.db, "INSERT INTO environment VALUES (?, ?, ?)");
  for (const auto& [name, value] : rows.environment) execute(environment, id, name, value);
  write_traffic(store, id, rows.traffic);
  write_events(store, trace.events);
  return {id, first_event};
}

void remove_ranks(Store& store, int64_t attempt) {
  SQLite::Statement ranges(store.db, "SELECT first_event, first_event + events - 1 FROM rank WHERE attempt_id = ?");
  SQLite::Statement events(store.db, "DELETE FROM event WHERE id BETWEEN ? AND ?");
  ranges.bind(1, attempt);
  while (ranges.executeStep()) execute(events, ranges.getColumn(0).getInt64(), ranges.getColumn(1).getInt64());
  SQLite::Statement ranks(store.db, "DELETE FROM rank WHERE attempt_id = ?");
  execute(ranks, attempt);
}

void write_step_summary(Store& store, int64_t rank_id, const std::map<int32_t, StepSummary>& sums, bool with_stalls) {
  const auto stall = [&](int64_t ns) { return with_stalls ? std::optional(ns) : std::nullopt; };
  SQLite::Statement insert(store.db, "INSERT INTO step_summary VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [number, s] : sums) {
    execute(insert, rank_id, int64_t{number}, s.compute, s.h2d, s.d2h, s.h2d_bytes, s.d2h_bytes, s.exposed_transfer,
            stall(s.stall_weights), stall(s.stall_peers), stall(s.stall_host), s.all_to_all, s.ring);
  }
}

void write_traffic(Store& store, int64_t rank_id, const Traffic& sums) {
  SQLite::Statement insert(store.db, "INSERT INTO traffic VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, s] : sums) {
    execute(insert, rank_id, int64_t{key.step}, static_cast<int64_t>(key.kind), static_cast<int64_t>(key.beside),
            static_cast<int64_t>(key.peers), s.events, s.bytes, s.duration, s.hidden, s.with_all_to_all, s.with_ring,
            s.with_h2d, s.with_d2h, s.with_peers_same);
  }
}

std::vector<EventRow> read_events(Store& store, int64_t rank_id) {
  SQLite::Statement query(store.db,
                          "SELECT e.step, e.forward, e.block, e.kind, e.cause, e.stream, e.expert, e.start_ns, "
                          "e.start_ns + e.duration_ns, e.bytes FROM rank r JOIN event e ON e.id BETWEEN r.first_event "
                          "AND r.first_event + r.events - 1 WHERE r.id = ? ORDER BY e.id");
  query.bind(1, rank_id);
  std::vector<EventRow> events;
  while (query.executeStep()) {
    const auto number = [&](int column) { return query.getColumn(column).getInt64(); };
    EventRow& e = events.emplace_back();
    e.step = static_cast<int32_t>(number(0));
    e.forward = static_cast<int16_t>(number(1));
    e.block = static_cast<int16_t>(number(2));
    e.kind = static_cast<EventKind>(number(3));
    e.cause = static_cast<StallCause>(number(4));
    e.stream = static_cast<StreamId>(number(5));
    e.expert = static_cast<uint8_t>(number(6));
    e.start_ns = number(7);
    e.end_ns = number(8);
    e.bytes = number(9);
  }
  return events;
}

std::vector<StepRow> read_steps(Store& store, int64_t rank_id) {
  SQLite::Statement query(store.db,
                          "SELECT step, expert, timestep, sigma, start_ns, start_ns + duration_ns FROM step "
                          "WHERE rank_id = ? ORDER BY step");
  query.bind(1, rank_id);
  std::vector<StepRow> steps;
  while (query.executeStep()) {
    steps.push_back({query.getColumn(0).getInt(), query.getColumn(1).getInt(), query.getColumn(2).getInt(),
                     static_cast<float>(query.getColumn(3).getDouble()), query.getColumn(4).getInt64(),
                     query.getColumn(5).getInt64()});
  }
  return steps;
}

}  // namespace wansweep
