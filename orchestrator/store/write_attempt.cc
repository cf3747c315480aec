// Each attempt is written in one transaction, so that a kill leaves all of it or nothing. Data in the database is never
// lost: when a trace is missing, shorter, or of another execution, the rows of an earlier gather stay, and a line says
// so. Gathering the same files again changes only the time of the last look.

#include "orchestrator/store/write_attempt.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "orchestrator/store/bind.h"
#include "orchestrator/store/rank_rows.h"
#include "orchestrator/store/write_sums.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/attempt_state.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// "12" and "12.0" are one value.
std::string canonical(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' ? fmt::format("{}", number) : text;
}

std::optional<std::string> setting_text(const nlohmann::json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

void write_settings(Store& store, int64_t run, const RunSettings& spec, const AttemptPlan& plan) {
  SQLite::Statement update(store.db,
                           "UPDATE run SET work = ?, cfg = ?, ulysses = ?, ring = ?, expected_switch = ?, "
                           "catalog_switch = ?, product_flop = ?, attention_flop = ? WHERE id = ?");
  execute(update, plan.work, plan.cfg, plan.ulysses, plan.ring, plan.expected_switch, plan.catalog_switch,
          plan.product_flop, plan.attention_flop, run);

  SQLite::Statement clear(store.db, "DELETE FROM setting WHERE run_id = ?");
  execute(clear, run);
  SQLite::Statement insert(store.db, "INSERT INTO setting VALUES (?, ?, ?, ?, ?)");
  for (const Field& field : fields()) {
    const std::string name(field.name);
    const auto origin = spec.origins.find(name);
    const bool known = origin != spec.origins.end();
    // Of another engine's run: what it does not follow, and what nobody told, has no value, whatever the default.
    const bool told =
        !known || (origin->second.origin != not_followed_origin && origin->second.origin != unknown_origin);
    execute(insert, run, name, told ? setting_text(get_field(spec, field)) : std::nullopt,
            known ? or_null(origin->second.origin) : std::nullopt,
            known && !origin->second.catalog.empty() ? std::optional(canonical(origin->second.catalog)) : std::nullopt);
  }
}

struct Comparison {
  bool same = true;     // trace by trace, byte by byte
  std::string problem;  // why what is there must stay
};

Comparison compare_with_stored(Store& store, int64_t attempt, const AttemptRows& rows) {
  Comparison result;
  SQLite::Statement stored(store.db,
                           "SELECT r.rank, r.steps, r.events, r.trace_sha256, s.step, s.duration_ns FROM rank r "
                           "LEFT JOIN step s ON s.rank_id = r.id AND s.step = "
                           "(SELECT min(f.step) FROM step f WHERE f.rank_id = r.id) WHERE r.attempt_id = ?");
  stored.bind(1, attempt);
  size_t ranks = 0;
  while (stored.executeStep()) {
    ++ranks;
    const int rank = stored.getColumn(0).getInt();
    const std::string file = fmt::format("{}/{}", rows.records.directory, trace_file_name(rank));
    const auto found = rows.ranks.find(rank);
    if (found == rows.ranks.end()) {
      result.problem = fmt::format("{}: is missing or unreadable; the rows of an earlier gather were kept", file);
      return result;
    }
    if (found->second.sha256 == stored.getColumn(3).getString()) continue;
    result.same = false;
    const TraceRows& trace = found->second.trace.rows;
    if (static_cast<int64_t>(trace.steps.size()) < stored.getColumn(1).getInt64() ||
        static_cast<int64_t>(trace.events.size()) < stored.getColumn(2).getInt64()) {
      result.problem = fmt::format("{}: is shorter than when it was gathered; the longer version was kept", file);
    } else if (!stored.getColumn(4).isNull() &&
               (trace.steps[0].step != stored.getColumn(4).getInt() ||
                trace.steps[0].end_ns - trace.steps[0].start_ns != stored.getColumn(5).getInt64())) {
      result.problem = fmt::format(
          "{}: is of another execution than the gathered attempt of this name; give its sweep another name", file);
    }
    if (!result.problem.empty()) return result;
  }
  result.same = result.same && ranks == rows.ranks.size();
  return result;
}

// Whether the row changed in anything but where and when it was gathered.
bool write_attempt_row(Store& store, int64_t id, const AttemptRows& rows) {
  const AttemptRecords& r = rows.records;
  const auto problem = rows.complete ? std::nullopt : or_null(rows.problem);
  SQLite::Statement same(
      store.db,
      "SELECT count(*) FROM attempt WHERE id = ? AND state IS ? AND exit_code IS ? AND signal IS ? AND "
      "complete = ? AND latents_digest IS ? AND problem IS ? AND nonfinite_values IS ? AND result_sha256 IS ?");
  const auto result_sha256 = rows.result ? std::optional(rows.result->sha256) : std::nullopt;
  std::optional<int64_t> result_bytes;
  if (rows.result) result_bytes = rows.result->bytes;
  int i = 0;
  const auto put = [&](const auto& value) { bind(same, ++i, value); };
  put(id), put(r.state), put(r.exit_code), put(r.signal), put(int64_t{rows.complete});
  put(or_null(rows.latents_digest)), put(problem), put(rows.nonfinite_values), put(result_sha256);
  same.executeStep();
  const bool unchanged = same.getColumn(0).getInt() == 1;
  same.reset();

  SQLite::Statement update(store.db,
                           "UPDATE attempt SET state = ?, exit_code = ?, signal = ?, complete = ?, problem = ?, "
                           "started_at = ?, finished_at = ?, latents_digest = ?, directory = ?, fingerprint = ?, "
                           "gathered_at = ?, nonfinite_values = ?, result_sha256 = ?, result_bytes = ? WHERE id = ?");
  // Damaged files are looked at again each time, and so are named each time.
  execute(update, r.state, r.exit_code, r.signal, int64_t{rows.complete}, problem, or_null(r.started_at),
          or_null(r.finished_at), or_null(rows.latents_digest), r.directory,
          rows.problems.empty() ? r.fingerprint : std::string(), timestamp_now(), rows.nonfinite_values, result_sha256,
          result_bytes, id);
  return !unchanged;
}

void write_slurm(Store& store, int64_t attempt, const SlurmRecord& slurm) {
  SQLite::Statement job(store.db, "INSERT OR REPLACE INTO slurm_job VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?, ?, ?)");
  execute(job, attempt, slurm.submission, slurm.index, slurm.array_job, or_null(slurm.slurm_state),
          or_null(slurm.reason), or_null(slurm.nodes), or_null(slurm.started_at), or_null(slurm.ended_at));
  SQLite::Statement forget(store.db, "DELETE FROM transition WHERE attempt_id = ?");
  execute(forget, attempt);
  SQLite::Statement insert(store.db, "INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?)");
  int64_t n = 0;
  for (const SlurmTransition& change : slurm.transitions) {
    execute(insert, attempt, ++n, change.at, or_null(change.from), change.to, or_null(change.slurm_state),
            or_null(change.detail));
  }
}

}  // namespace

int64_t find_or_add_run(Store& store, int64_t sweep_id, const std::string& name, const std::string& config,
                        int64_t repeat, const std::vector<std::string>& replaced) {
  SQLite::Statement insert(store.db,
                           "INSERT INTO run (sweep_id, name, config, repeat) VALUES (?, ?, ?, ?) "
                           "ON CONFLICT (sweep_id, name) DO NOTHING");
  execute(insert, sweep_id, name, config, repeat);
  SQLite::Statement find(store.db, "SELECT id, config FROM run WHERE sweep_id = ? AND name = ?");
  find.bind(1, sweep_id);
  find.bind(2, name);
  find.executeStep();
  const int64_t id = find.getColumn(0).getInt64();
  const std::string known = find.getColumn(1).getString();
  find.reset();
  if (std::ranges::find(replaced, known) != replaced.end()) {
    SQLite::Statement update(store.db, "UPDATE run SET config = ?, repeat = ? WHERE id = ?");
    execute(update, config, repeat, id);
  } else if (known != config) {
    throw bad_input(
        fmt::format("run {}: the configuration is {}, but the database has {} under this name", name, config, known));
  }
  return id;
}

Written write_attempt(Store& store, int64_t sweep_id, const AttemptRows& rows) {
  const AttemptRecords& records = rows.records;
  SQLite::Transaction transaction(store.db, SQLite::TransactionBehavior::IMMEDIATE);
  const int64_t run = find_or_add_run(store, sweep_id, records.run, records.config, records.repeat, records.replaces);
  SQLite::Statement insert(
      store.db,
      "INSERT INTO attempt (run_id, n, token, launcher, complete, directory, fingerprint, gathered_at) "
      "VALUES (?, ?, ?, ?, 0, ?, '', '') ON CONFLICT (run_id, n) DO NOTHING");
  execute(insert, run, records.number, records.token, or_null(records.launcher), records.directory);
  const bool is_new = store.db.getChanges() == 1;
  SQLite::Statement find(store.db, "SELECT id FROM attempt WHERE run_id = ? AND n = ?");
  find.bind(1, run);
  find.bind(2, records.number);
  find.executeStep();
  const int64_t id = find.getColumn(0).getInt64();
  find.reset();

  Written written{is_new ? Outcome::added : Outcome::replaced, ""};
  const Comparison stored = compare_with_stored(store, id, rows);
  if (!stored.problem.empty()) return {Outcome::kept, stored.problem};  // rolled back
  const bool changed = write_attempt_row(store, id, rows);
  if (!stored.same) {
    remove_ranks(store, id);
    std::vector<WrittenRank> written_ranks;
    for (const auto& [rank, one] : rows.ranks) written_ranks.push_back(write_rank(store, id, rank, one));
    write_sums(store, id, written_ranks, rows.sums);
  } else if (!is_new && !changed) {
    written.outcome = Outcome::unchanged;
  }
  if (records.slurm) write_slurm(store, id, *records.slurm);
  if (rows.spec && (is_new || !stored.same)) write_settings(store, run, *rows.spec, *rows.plan);
  transaction.commit();
  return written;
}

// Only such a row has no token: the record tells it.
void write_unreadable_attempts(Store& store, const std::string& sweep_directory,
                               const std::map<std::string, std::string>& problems) {
  SQLite::Transaction transaction(store.db, SQLite::TransactionBehavior::IMMEDIATE);
  SQLite::Statement forget(store.db,
                           "DELETE FROM attempt WHERE token = '' AND run_id IN (SELECT r.id FROM run r JOIN sweep s ON "
                           "s.id = r.sweep_id WHERE s.directory = ?)");
  execute(forget, sweep_directory);
  SQLite::Statement insert(
      store.db,
      "INSERT INTO attempt (run_id, n, token, state, complete, problem, directory, fingerprint, gathered_at) "
      "SELECT r.id, ?, '', ?, 0, ?, ?, '', ? FROM run r JOIN sweep s ON s.id = r.sweep_id "
      "WHERE s.directory = ? AND r.name = ? ON CONFLICT (run_id, n) DO NOTHING");
  for (const auto& [directory, problem] : problems) {
    const auto name = parse_attempt_name(std::filesystem::path(directory).filename().string());
    if (!name) continue;
    execute(insert, int64_t{name->number}, std::string(name_of(RunStanding::unreadable)), problem, directory,
            timestamp_now(), sweep_directory, name->run);
  }
  transaction.commit();
}

}  // namespace wansweep
