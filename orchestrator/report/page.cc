#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>

#include "orchestrator/report/embedded_page.h"
#include "orchestrator/report/report.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace mustache = kainjow::mustache;

std::string shown(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "–";
}

mustache::data table_of(const Table& table) {
  mustache::data columns{mustache::data::type::list};
  for (std::string name : table.columns) {
    std::replace(name.begin(), name.end(), '_', ' ');
    columns << mustache::data{"name", name};
  }
  mustache::data rows{mustache::data::type::list};
  for (const auto& row : table.rows) {
    mustache::data cells{mustache::data::type::list};
    for (const Cell& cell : row) {
      mustache::data one{"text", shown(cell)};
      one.set("number", !std::holds_alternative<std::string>(cell));
      cells << one;
    }
    rows << mustache::data{"cells", cells};
  }
  mustache::data data;
  data.set("columns", columns);
  data.set("rows", rows);
  return data;
}

mustache::data section_of(const Section& section, size_t number) {
  mustache::data data;
  data.set("id", fmt::format("s{}", number));
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

}  // namespace

std::string to_html(const Report& report) {
  mustache::data data;
  data.set("sweep", report.sweep);
  data.set("summary", report.summary);
  data.set("file", report.file);
  data.set("matrix", report.matrix);
  data.set("database", report.database);
  data.set("version", fmt::format("{} ({})", version, git_revision));
  mustache::data sections{mustache::data::type::list};
  for (size_t i = 0; i < report.sections.size(); ++i) sections << section_of(report.sections[i], i + 1);
  data.set("sections", sections);
  mustache::mustache page(page_template);
  if (!page.is_valid()) throw Error(ExitCode::internal, "page.html: " + page.error_message());
  return page.render(data);
}

}  // namespace wansweep
