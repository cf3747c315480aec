// The page is what the named queries say of one sweep, in an order that tells a story: the answer first, then where the
// time went, then what else could explain it. A query without rows has no section; one whose picture has no values says
// so.

#include "orchestrator/answers/report/report.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "base/enum_names.h"
#include "orchestrator/answers/report/picture.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/query/query.h"
#include "schema/setting_values.h"

namespace wansweep {
namespace {

// In this order; pictures that are not named come after the others.
constexpr std::array<std::string_view, 21> order{"offload_comparison",
                                                 "time_parts",
                                                 "step_times",
                                                 "time_by_step",
                                                 "exposed_transfer",
                                                 "memory_over_time",
                                                 "correction",
                                                 "switch_spike",
                                                 "stalls_by_cause",
                                                 "overlap",
                                                 "contention",
                                                 "copies_at_once",
                                                 "rates_achieved",
                                                 "event_times",
                                                 "largest_events",
                                                 "memory_peaks",
                                                 "repeat_spread",
                                                 "configuration_drift",
                                                 "scaling",
                                                 "scaling_4_to_6",
                                                 "environment_differences"};

std::string sql_text(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + '\'';
}

std::string text_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : "";
}

std::string find_sweep(Store& store, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& row : run_query(store, "SELECT name FROM sweep ORDER BY name").rows)
    names.push_back(text_of(row[0]));
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  if (!wanted.empty()) {
    throw bad_input(fmt::format("{}: holds no sweep {}; there are: {}", store.path, wanted, fmt::join(names, ", ")));
  }
  if (names.size() == 1) return names[0];
  throw bad_input(
      fmt::format("{}: holds {} sweeps; name one with --sweep: {}", store.path, names.size(), fmt::join(names, ", ")));
}

// The comment's lines after the first, as one text.
std::string notes_of(const std::string& sql) {
  std::string notes;
  size_t at = sql.find('\n');
  while (at != std::string::npos && sql.compare(at + 1, 2, "--") == 0) {
    const size_t end = sql.find('\n', at + 1);
    notes += sql.substr(at + 3, end - at - 3);
    at = end;
  }
  return notes;
}

Table without_first_column(Table table) {
  table.columns.erase(table.columns.begin());
  for (auto& row : table.rows) row.erase(row.begin());
  return table;
}

constexpr std::string_view no_gnuplot =
    "The picture is missing, for gnuplot was not installed where this page was made; the table has its values.";
constexpr const char* nothing_to_draw = "<p>There is nothing to draw: no run has these values.</p>";

using Linetypes = std::map<std::string, int>;

// Modes have the same in every picture of every sweep; a mode with options, one that is free in this sweep.
Linetypes linetypes_of(Store& store, const std::string& sweep) {
  Linetypes linetypes;
  int next = 0;
  for (const std::string_view mode : names_of<OffloadMode>()) linetypes[std::string(mode)] = ++next;
  const Table labels = run_query(
      store, fmt::format("SELECT DISTINCT offload FROM run_settings WHERE sweep = {} ORDER BY 1", sql_text(sweep)));
  for (const auto& row : labels.rows) {
    if (linetypes.try_emplace(text_of(row[0]), next + 1).second) ++next;
  }
  return linetypes;
}

// A picture a configuration: the rows whose first column is the same.
void add_pictures(Section& section, const NamedQuery& query, const Table& table, const Linetypes& linetypes) {
  for (auto begin = table.rows.begin(); begin != table.rows.end();) {
    const std::string caption = text_of((*begin)[0]);
    const auto end = std::find_if(begin, table.rows.end(), [&](const auto& row) { return text_of(row[0]) != caption; });
    Picture picture;
    picture.name = fmt::format("{}_{}", query.name, section.pictures.size() + 1);
    picture.title = fmt::format("{} ({})", section.title, caption);
    picture.commands = query.plot;
    picture.linetypes = linetypes;
    picture.table = {table.columns, {begin, end}, false};
    picture.table = without_first_column(std::move(picture.table));
    section.pictures.emplace_back(caption, can_be_drawn(picture.table) ? draw(picture) : nothing_to_draw);
    begin = end;
  }
}

Section section_of(Store& store, const NamedQuery& query, const std::string& sweep, const Linetypes& linetypes) {
  Section section{question_of(query), notes_of(query.sql), query.sql, {}, {}};
  const Table table = run_query(store, fmt::format("SELECT * FROM {} WHERE sweep = {}", query.name, sql_text(sweep)));
  section.table = without_first_column(table);
  if (query.plot.empty()) return section;
  if (gnuplot_is_installed()) {
    add_pictures(section, query, section.table, linetypes);
  } else {
    section.notes += " " + std::string(no_gnuplot);
  }
  return section;
}

Section environment_of(Store& store, const std::string& sweep) {
  const std::string sql = fmt::format(
      "SELECT e.name, e.value, count(DISTINCT a.run_id) AS runs, count(*) AS ranks\nFROM current_attempt a\n"
      "JOIN run r ON r.id = a.run_id\nJOIN sweep p ON p.id = r.sweep_id\nJOIN rank k ON k.attempt_id = a.id\n"
      "JOIN environment e ON e.rank_id = k.id\nWHERE p.name = {} AND e.name NOT IN ('rank', 'ranks', "
      "'weights_loaded_s')\n"
      "GROUP BY e.name, e.value\nORDER BY e.name, e.value",
      sql_text(sweep));
  return {"On what did it run?", "Each value that a rank saw.", sql, run_query(store, sql), {}};
}

}  // namespace

Report make_report(Store& store, const std::string& wanted) {
  Report report;
  report.sweep = find_sweep(store, wanted);
  report.database = store.path;
  const std::string name = sql_text(report.sweep);
  const Table facts = run_query(
      store,
      "SELECT p.file, p.matrix, count(r.id), count(a.id), min(a.started_at), max(a.finished_at), "
      "max(e.value) FROM sweep p LEFT JOIN run r ON r.sweep_id = p.id LEFT JOIN current_attempt a ON a.run_id = "
      "r.id LEFT JOIN rank k ON k.attempt_id = a.id AND k.rank = 0 LEFT JOIN environment e ON e.rank_id = k.id "
      "AND e.name = 'git_revision' WHERE p.name = " +
          name);
  const auto& row = facts.rows.at(0);
  const int64_t complete = std::get<int64_t>(row[3]);
  if (complete == 0) {
    throw bad_input(fmt::format("{}: sweep {} has no complete run to report on", store.path, report.sweep));
  }
  report.file = text_of(row[0]);
  report.matrix = text_of(row[1]);
  report.summary = fmt::format("{} of {} runs are complete; made from {} to {} by wansweep {}.", complete,
                               std::get<int64_t>(row[2]), text_of(row[4]), text_of(row[5]), text_of(row[6]));

  std::vector<const NamedQuery*> queries;
  for (const std::string_view wanted_name : order) {
    for (const NamedQuery& query : named_queries) {
      if (query.name == wanted_name) queries.push_back(&query);
    }
  }
  for (const NamedQuery& query : named_queries) {
    if (!query.plot.empty() && std::find(queries.begin(), queries.end(), &query) == queries.end()) {
      queries.push_back(&query);
    }
  }
  const Linetypes linetypes = linetypes_of(store, report.sweep);
  for (const NamedQuery* query : queries) {
    Section section = section_of(store, *query, report.sweep, linetypes);
    // No correction, no drift: nothing to show, and for differences that is worth saying.
    if (!section.table.rows.empty() || query->name == "environment_differences") {
      if (section.notes.ends_with(no_gnuplot)) report.missing.emplace_back(query->name);
      report.sections.push_back(std::move(section));
    }
  }
  report.sections.push_back(environment_of(store, report.sweep));
  return report;
}

}  // namespace wansweep
