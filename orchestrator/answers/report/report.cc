// The page shows what the named queries answer about one sweep, in the order of a reader's questions: which way won,
// where the time went, whether it fits, what more ranks gain, whether to believe it, what the machine gives. A query
// without rows gets no section, a chapter without sections is left out, and a picture without values says so.

#include "orchestrator/answers/report/report.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/enum_names.h"
#include "orchestrator/answers/report/cells.h"
#include "orchestrator/answers/report/picture.h"
#include "orchestrator/answers/report/verdict_facts.h"
#include "orchestrator/answers/report/way_names.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/query/query.h"
#include "schema/setting_values.h"

namespace wansweep {
namespace {

struct ChapterOrder {
  std::string_view title;
  std::vector<std::string_view> queries;
};

// Queries with a picture that no chapter names come at the end of the last chapter.
const std::vector<ChapterOrder>& order() {
  static const std::vector<ChapterOrder> chapters{
      {"What does each way cost?", {"run_times", "offload_comparison"}},
      {"Where does the time go?",
       {"time_parts", "step_times", "switch_spike", "time_by_step", "exposed_transfer", "stalls_by_cause"}},
      {"Does it fit into memory?", {"memory_over_time", "memory_peaks"}},
      {"What do more ranks gain?", {"scaling", "scaling_4_to_6"}},
      {"Can these figures be believed?",
       {"repeat_spread", "configuration_drift", "correction", "environment_differences", "replaced_workers",
        "prediction_error"}},
      {"What does the machine give?", {"contention", "overlap", "copies_at_once", "rates_achieved"}},
      {"Details", {"event_times", "largest_events"}}};
  return chapters;
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
  if (names.empty()) {
    throw bad_input(
        fmt::format("{}: holds no sweep yet; `wansweep gather DIR` reads the runs of a sweep's directory into "
                    "its database",
                    store.path));
  }
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
    "The picture is missing because gnuplot was not installed where this page was made; the table has its values.";
constexpr const char* nothing_to_draw = "<p>There is nothing to draw: no run has these values.</p>";

using Linetypes = std::map<std::string, int>;

// The linetype of each way by its name, as style.gp numbers them: a mode has the same colour in every picture of every
// sweep, and each set of options that the sweep tries with the mode has its own dash and point.
Linetypes linetypes_of(const std::map<std::string, WaySettings>& ways, const WayNames& names) {
  const std::vector<std::string_view> modes = names_of<OffloadMode>();
  constexpr int variants = 4;
  std::vector<int> used(modes.size(), 0);
  Linetypes linetypes;
  for (const auto& [label, way] : ways) {
    if (!way.mode) continue;
    const auto at = static_cast<size_t>(*way.mode);
    linetypes[names.name_of(label)] =
        1 + static_cast<int>(at + modes.size() * static_cast<size_t>(used[at]++ % variants));
  }
  return linetypes;
}

// Sorts series that are modes into the order of the modes, not of the alphabet.
void order_series(Table& table, const Linetypes& linetypes) {
  const int modes = static_cast<int>(names_of<OffloadMode>().size());
  const auto place = [&](const std::vector<Cell>& row) {
    const auto found = linetypes.find(text_of(row[0]));
    return found == linetypes.end() ? std::pair{0, 0} : std::pair{(found->second - 1) % modes, found->second};
  };
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [&](const auto& one, const auto& other) { return place(one) < place(other); });
}

// Runs whose number of ranks nobody told are drawn beside the others, under a word.
void name_unknown_ranks(Table& table) {
  const auto ranks = std::find(table.columns.begin(), table.columns.end(), "ranks") - table.columns.begin();
  if (ranks == std::ssize(table.columns)) return;
  for (auto& row : table.rows) {
    Cell& cell = row[static_cast<size_t>(ranks)];
    if (std::holds_alternative<std::monostate>(cell)) cell = "unknown";
  }
}

// Adds a picture for each configuration: the rows whose first column is the same. All have one scale.
void add_pictures(Section& section, const NamedQuery& query, const Table& table, const Linetypes& linetypes) {
  const Table whole = without_first_column(table);
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
    name_unknown_ranks(picture.table);
    picture.whole = whole;
    order_series(picture.table, linetypes);
    section.pictures.emplace_back(caption == "all" ? std::string() : caption,
                                  can_be_drawn(picture.table) ? draw(picture) : nothing_to_draw);
    begin = end;
  }
}

// Puts the names of ways in place of their labels, which some queries follow with ", " and the ranks.
void name_ways_in(Table& table, const WayNames& names) {
  for (auto& row : table.rows) {
    for (Cell& cell : row) {
      auto* text = std::get_if<std::string>(&cell);
      if (text == nullptr) continue;
      const size_t comma = text->find(", ");
      *text = names.name_of(text->substr(0, comma)) + (comma == std::string::npos ? "" : text->substr(comma));
    }
  }
}

Section section_of(Store& store, const NamedQuery& query, const std::string& sweep, const Linetypes& linetypes,
                   const WayNames& names) {
  Section section{question_of(query), notes_of(query.sql), query.sql, {}, {}};
  const Table table = run_query(store, fmt::format("SELECT * FROM {} WHERE sweep = {}", query.name, sql_text(sweep)));
  section.table = without_first_column(table);
  name_ways_in(section.table, names);
  if (query.plot.empty()) return section;
  if (gnuplot_is_installed()) {
    add_pictures(section, query, section.table, linetypes);
  } else {
    section.notes += " " + std::string(no_gnuplot);
  }
  return section;
}

// Numbers that nearly every rank has to itself, such as the time of a load, are told as a range.
Section environment_of(Store& store, const std::string& sweep) {
  const std::string sql = fmt::format(
      "WITH seen AS (\n  SELECT e.name, e.value, a.run_id, e.value NOT GLOB '*[^-+.0-9e]*' AS number\n"
      "  FROM current_attempt a\n  JOIN run r ON r.id = a.run_id\n  JOIN sweep p ON p.id = r.sweep_id\n"
      "  JOIN rank k ON k.attempt_id = a.id\n  JOIN environment e ON e.rank_id = k.id\n"
      "  WHERE p.name = {} AND e.name NOT IN ('rank', 'ranks', 'weights_loaded_s')\n), ranges AS (\n"
      "  SELECT name, round(min(value + 0.0), 3) || ' to ' || round(max(value + 0.0), 3) AS value\n  FROM seen\n"
      "  GROUP BY name\n  HAVING min(number) AND count(DISTINCT value) > 6\n)\n"
      "SELECT s.name, coalesce(r.value, s.value) AS value, count(DISTINCT s.run_id) AS runs, count(*) AS ranks\n"
      "FROM seen s\nLEFT JOIN ranges r ON r.name = s.name\nGROUP BY s.name, coalesce(r.value, s.value)\n"
      "ORDER BY s.name, s.value",
      sql_text(sweep));
  return {"On what did it run?",
          "Each value that a rank saw; a range where a number has more than six values.",
          sql,
          run_query(store, sql),
          {}};
}

// "2026-11-26T11:03:24.022Z" as "2026-11-26 11:03".
std::string minute_of(const std::string& time) {
  constexpr size_t up_to_minute = 16;
  std::string text = time.substr(0, up_to_minute);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

// Reads what the page says of the sweep besides its answers. Throws bad_input when no run is complete.
void describe_sweep(Store& store, Report& report) {
  const Table facts = run_query(
      store,
      "SELECT p.file, p.matrix, count(r.id), count(a.id), min(a.started_at), max(a.finished_at), "
      "max(e.value) FROM sweep p LEFT JOIN run r ON r.sweep_id = p.id LEFT JOIN current_attempt a ON a.run_id = "
      "r.id LEFT JOIN rank k ON k.attempt_id = a.id AND k.rank = 0 LEFT JOIN environment e ON e.rank_id = k.id "
      "AND e.name = 'git_revision' WHERE p.name = " +
          sql_text(report.sweep));
  const auto& row = facts.rows.at(0);
  const int64_t complete = integer_of(row[3]).value_or(0);
  if (complete == 0) {
    throw bad_input(
        fmt::format("{}: sweep {} has no complete run to report on; `wansweep query {} runs` shows what each run "
                    "came to",
                    store.path, report.sweep, store.path));
  }
  report.file = text_of(row[0]);
  report.matrix = text_of(row[1]);
  const std::string revision = text_of(row[6]), first = text_of(row[4]), last = text_of(row[5]);
  // Files of other engines do not tell the time of day.
  const std::string made =
      first.empty() ? "" : fmt::format("; they were made from {} to {} UTC", minute_of(first), minute_of(last));
  report.summary = fmt::format("{} of {} runs are complete{}{}.", complete, integer_of(row[2]).value_or(0), made,
                               revision.empty() || revision == "unknown" ? "" : " by wansweep " + revision);
}

// A query without rows is left out, such as that for corrections when nothing was corrected. environment_differences
// stays without rows too, since it is worth knowing that nothing differed. scaling says nothing when all runs have
// equally many ranks.
bool says_nothing(const NamedQuery& query, const Table& table) {
  if (query.name == "environment_differences") return false;
  if (query.name != "scaling") return table.rows.empty();
  const auto ranks = std::find(table.columns.begin(), table.columns.end(), "ranks") - table.columns.begin();
  return std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return row[static_cast<size_t>(ranks)] == table.rows[0][static_cast<size_t>(ranks)];
  });
}

struct OrderedQuery {
  const NamedQuery* query = nullptr;
  std::string_view chapter;
};

std::vector<OrderedQuery> queries_in_order() {
  std::vector<OrderedQuery> queries;
  std::set<std::string_view> named;
  for (const ChapterOrder& chapter : order()) {
    for (const std::string_view name : chapter.queries) {
      named.insert(name);
      for (const NamedQuery& query : named_queries) {
        if (query.name == name) queries.push_back({&query, chapter.title});
      }
    }
  }
  for (const NamedQuery& query : named_queries) {
    if (!query.plot.empty() && !named.contains(query.name)) queries.push_back({&query, order().back().title});
  }
  return queries;
}

}  // namespace

Report make_report(Store& store, const std::string& wanted, const ProgressSink& progress) {
  Report report;
  report.sweep = find_sweep(store, wanted);
  report.database = store.path;
  describe_sweep(store, report);
  const std::map<std::string, WaySettings> ways = read_ways(store, report.sweep);
  const WayNames names = name_ways(ways);
  report.verdict = make_verdict(read_verdict_facts(store, report.sweep, names));

  const Linetypes linetypes = linetypes_of(ways, names);
  const auto chapter = [&](std::string_view title) -> Chapter& {
    if (report.chapters.empty() || report.chapters.back().title != title)
      report.chapters.push_back({std::string(title), {}});
    return report.chapters.back();
  };
  const std::vector<OrderedQuery> queries = queries_in_order();
  for (size_t i = 0; i < queries.size(); ++i) {
    const auto& [query, title] = queries[i];
    if (progress) progress(fmt::format("answering {}", query->name), i + 1, queries.size());
    Section section = section_of(store, *query, report.sweep, linetypes, names);
    if (says_nothing(*query, section.table)) continue;
    if (section.notes.ends_with(no_gnuplot)) report.missing.emplace_back(query->name);
    chapter(title).sections.push_back(std::move(section));
  }
  chapter(order().back().title).sections.push_back(environment_of(store, report.sweep));
  return report;
}

}  // namespace wansweep
