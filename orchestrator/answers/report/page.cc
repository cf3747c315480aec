// The values of page.html, a mustache template. What is decided here is only how things lie on the page: which cases
// are folded, which pictures stand side by side, and where a table ends on paper.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <kainjow/mustache.hpp>
#include <string_view>
#include <vector>

#include "orchestrator/answers/report/embedded_page.h"
#include "orchestrator/answers/report/readable_table.h"
#include "orchestrator/answers/report/report.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace mustache = kainjow::mustache;

// The configurations are told when there are several: a column of "all" says nothing.
Table without_one_configuration(Table table) {
  const auto at = std::find(table.columns.begin(), table.columns.end(), "configuration") - table.columns.begin();
  if (at == std::ssize(table.columns)) return table;
  const bool one = std::all_of(table.rows.begin(), table.rows.end(),
                               [&](const auto& row) { return row[static_cast<size_t>(at)] == Cell("all"); });
  if (!one) return table;
  table.columns.erase(table.columns.begin() + at);
  for (auto& row : table.rows) row.erase(row.begin() + at);
  return table;
}

mustache::data table_of(const Table& answer) {
  const Table table = without_one_configuration(readable(answer));
  mustache::data columns{mustache::data::type::list};
  for (size_t c = 0; c < table.columns.size(); ++c) {
    mustache::data column{"name", heading_of(table.columns[c])};
    column.set("number", is_numeric(table, c));
    columns << column;
  }
  mustache::data rows{mustache::data::type::list};
  for (const auto& row : shown_cells(table, "–")) {
    mustache::data cells{mustache::data::type::list};
    for (size_t c = 0; c < row.size(); ++c) {
      mustache::data one{"text", row[c]};
      one.set("number", is_numeric(table, c));
      one.set("way", table.columns[c] == "offload");
      cells << one;
    }
    rows << mustache::data{"cells", cells};
  }
  mustache::data data;
  data.set("columns", columns);
  data.set("rows", rows);
  return data;
}

// On paper a table ends after so many rows (page.html has the same number).
constexpr size_t printed_rows = 40;

// How a section lies on a wide screen. Sections with one picture stand two in a row, and one that is left over has its
// numbers beside the picture.
enum class Place : uint8_t { full, half, alone };
constexpr std::string_view name_of(Place place) {
  switch (place) {
    case Place::full:
      return "full";
    case Place::half:
      return "half";
    case Place::alone:
      return "alone";
  }
  return {};
}

std::vector<Place> places_of(const std::vector<Section>& sections) {
  std::vector<Place> places(sections.size(), Place::full);
  for (size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].pictures.size() != 1) continue;
    places[i] = Place::alone;
    if (i > 0 && places[i - 1] == Place::alone) places[i] = places[i - 1] = Place::half;
  }
  return places;
}

// The parts of a text, of which every second stands between backticks: names of queries, and values.
mustache::data parts_of(const std::string& text) {
  mustache::data parts{mustache::data::type::list};
  bool code = false;
  for (size_t begin = 0; begin <= text.size(); code = !code) {
    const size_t end = std::min(text.find('`', begin), text.size());
    mustache::data part{"text", text.substr(begin, end - begin)};
    part.set("code", code);
    parts << part;
    begin = end + 1;
  }
  return parts;
}

mustache::data section_of(const Section& section, Place place) {
  mustache::data data;
  data.set("place", std::string(name_of(place)));
  data.set("alone", place == Place::alone);
  data.set("title", section.title);
  data.set("notes", parts_of(section.notes));
  data.set("sql", section.sql);
  data.set("drawn", !section.pictures.empty());
  data.set("none", section.table.rows.empty());
  data.set("long", section.table.rows.size() > printed_rows);
  data.set("rows_in_all", fmt::format("{}", section.table.rows.size()));
  mustache::data pictures{mustache::data::type::list};
  for (const auto& [caption, svg] : section.pictures) {
    mustache::data picture{"caption", caption};
    picture.set("svg", svg);
    pictures << picture;
  }
  data.set("pictures", pictures);
  data.set("table", table_of(section.table));
  return data;
}

mustache::data chapter_of(const Chapter& chapter, size_t number) {
  mustache::data data;
  data.set("id", fmt::format("c{}", number));
  data.set("title", chapter.title);
  mustache::data sections{mustache::data::type::list};
  const std::vector<Place> places = places_of(chapter.sections);
  for (size_t i = 0; i < chapter.sections.size(); ++i) sections << section_of(chapter.sections[i], places[i]);
  data.set("sections", sections);
  return data;
}

// Further cases are folded: whoever wants many of them queries the database.
constexpr size_t open_cases = 6;

mustache::data case_of(const SweepVerdict::Case& told) {
  mustache::data data{"name", told.name};
  data.set("sentences", fmt::format("{}", fmt::join(told.sentences, " ")));
  const auto list = [](const std::vector<std::string>& texts) {
    mustache::data cells{mustache::data::type::list};
    for (size_t c = 0; c < texts.size(); ++c) {
      mustache::data cell{"text", texts[c]};
      cell.set("number", c > 0);
      cells << cell;
    }
    return cells;
  };
  data.set("columns", list(told.table.columns));
  mustache::data rows{mustache::data::type::list};
  for (const std::vector<std::string>& row : told.table.rows) rows << mustache::data{"cells", list(row)};
  data.set("rows", rows);
  return data;
}

mustache::data verdict_of(const SweepVerdict& verdict) {
  mustache::data data;
  data.set("headline", verdict.headline.at(0));
  mustache::data findings{mustache::data::type::list};
  for (size_t i = 1; i < verdict.headline.size(); ++i) findings << mustache::data{"text", verdict.headline[i]};
  data.set("findings", findings);
  mustache::data first{mustache::data::type::list}, folded{mustache::data::type::list};
  for (size_t i = 0; i < verdict.cases.size(); ++i) {
    (i < open_cases ? first : folded) << case_of(verdict.cases[i]);
  }
  data.set("cases", first);
  data.set("more", verdict.cases.size() > open_cases);
  data.set("how_many_more", fmt::format("{} more", verdict.cases.size() - std::min(verdict.cases.size(), open_cases)));
  data.set("more_cases", folded);
  mustache::data remarks{mustache::data::type::list};
  for (const std::string& remark : verdict.remarks) remarks << mustache::data{"text", remark};
  data.set("remarks", remarks);
  return data;
}

}  // namespace

std::string to_html(const Report& report) {
  mustache::data data;
  data.set("sweep", report.sweep);
  data.set("summary", report.summary);
  data.set("file", report.file);
  data.set("matrix", report.matrix);
  data.set("database", report.database);
  data.set("version", fmt::format("{} ({})", version, git_revision));
  data.set("verdict", verdict_of(report.verdict));
  mustache::data chapters{mustache::data::type::list};
  for (size_t i = 0; i < report.chapters.size(); ++i) chapters << chapter_of(report.chapters[i], i + 1);
  data.set("chapters", chapters);
  mustache::mustache page(page_template);
  if (!page.is_valid()) throw Error(ExitCode::internal, "page.html: " + page.error_message());
  return page.render(data);
}

}  // namespace wansweep
