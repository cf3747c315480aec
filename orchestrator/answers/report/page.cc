#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <vector>

#include "orchestrator/answers/report/embedded_page.h"
#include "orchestrator/answers/report/readable_table.h"
#include "orchestrator/answers/report/report.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace mustache = kainjow::mustache;

mustache::data table_of(const Table& answer) {
  const Table table = readable(answer);
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
      cells << one;
    }
    rows << mustache::data{"cells", cells};
  }
  mustache::data data;
  data.set("columns", columns);
  data.set("rows", rows);
  return data;
}

mustache::data section_of(const Section& section) {
  mustache::data data;
  data.set("title", section.title);
  data.set("notes", section.notes);
  data.set("sql", section.sql);
  data.set("drawn", !section.pictures.empty());
  data.set("none", section.table.rows.empty());
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
  for (const Section& section : chapter.sections) sections << section_of(section);
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
  data.set("headline", verdict.headline);
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
