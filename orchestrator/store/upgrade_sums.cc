#include "orchestrator/store/upgrade_sums.h"

#include <SQLiteCpp/Statement.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/error.h"
#include "orchestrator/store/bind.h"
#include "orchestrator/store/plan_of_attempt.h"
#include "orchestrator/store/rank_rows.h"
#include "orchestrator/store/write_sums.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

struct SpreadAttempt {
  int64_t id = 0;
  Spread spread;
};

std::optional<int64_t> integer_of(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getInt64());
}

std::vector<SpreadAttempt> attempts_with_spread(Store& store) {
  std::vector<SpreadAttempt> attempts;
  SQLite::Statement query(store.db,
                          "SELECT a.id, coalesce(r.cfg, 1), r.ulysses, r.ring FROM attempt a JOIN run r ON r.id = "
                          "a.run_id ORDER BY a.id");
  while (query.executeStep()) {
    attempts.push_back(
        {query.getColumn(0).getInt64(),
         {query.getColumn(1).getInt64(), integer_of(query.getColumn(2)), integer_of(query.getColumn(3))}});
  }
  return attempts;
}

struct RankWithEvents {
  WrittenRank written;
  int rank = 0;
  std::string host;
  std::vector<EventRow> events;
  std::vector<StepRow> steps;
};

void fill_attempt(Store& store, const SpreadAttempt& attempt) {
  std::vector<RankWithEvents> stored;
  SQLite::Statement query(store.db,
                          "SELECT id, coalesce(first_event, 0), rank, coalesce(host, '') FROM rank WHERE attempt_id = "
                          "? ORDER BY rank");
  query.bind(1, attempt.id);
  while (query.executeStep()) {
    RankWithEvents& one = stored.emplace_back();
    one.written = {query.getColumn(0).getInt64(), query.getColumn(1).getInt64()};
    one.rank = query.getColumn(2).getInt();
    one.host = query.getColumn(3).getString();
    one.events = read_events(store, one.written.id);
    one.steps = read_steps(store, one.written.id);
  }
  AttemptEvents events;
  events.spread = attempt.spread;
  std::vector<WrittenRank> written;
  for (const RankWithEvents& one : stored) {
    events.ranks.push_back({one.rank, one.host, &one.events, &one.steps});
    written.push_back(one.written);
  }
  write_sums(store, attempt.id, written, sum_attempt(events));
}

// A setting's text is that of its JSON value, but for texts, which have no quotes.
RunSettings settings_of_run(Store& store, int64_t run) {
  Json settings = Json::object();
  SQLite::Statement query(store.db, "SELECT name, value FROM setting WHERE run_id = ? AND value IS NOT NULL");
  query.bind(1, run);
  while (query.executeStep()) {
    const std::string name = query.getColumn(0).getString(), text = query.getColumn(1).getString();
    const Field* field = find_field(name);
    if (field == nullptr) continue;
    Json value = Json::parse(text, nullptr, false);
    const bool is_text = get_field(RunSettings(), *field).is_string();
    settings[name] = is_text || value.is_discarded() ? Json(text) : value;
  }
  return settings_from_json(settings, "settings");
}

void fill_operations(Store& store) {
  std::vector<int64_t> runs;
  SQLite::Statement query(store.db, "SELECT id FROM run WHERE work IS NOT NULL");
  while (query.executeStep()) runs.push_back(query.getColumn(0).getInt64());
  SQLite::Statement update(store.db, "UPDATE run SET product_flop = ?, attention_flop = ? WHERE id = ?");
  for (const int64_t run : runs) {
    try {
      const AttemptPlan plan = plan_of_attempt(settings_of_run(store, run), Json::object());
      execute(update, plan.product_flop, plan.attention_flop, run);
    } catch (const Error&) {  // settings of another version: its operations stay unknown
    }
  }
}

}  // namespace

void fill_sums(Store& store) {
  for (const SpreadAttempt& attempt : attempts_with_spread(store))
    fill_attempt(store, attempt);  // one at a time: a gigabyte
  fill_operations(store);
}

}  // namespace wansweep
