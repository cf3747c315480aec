#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <kainjow/mustache.hpp>
#include <string_view>
#include <utility>

#include "orchestrator/answers/report/embedded_page.h"
#include "orchestrator/answers/report/report.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace mustache = kainjow::mustache;

// "median_step_ms" as "median step (ms)".
std::string heading_of(std::string name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> units{{{"_gb_per_s", " (GB/s)"},
                                                                                {"_tflop_per_s", " (TFLOP/s)"},
                                                                                {"_gib", " (GiB)"},
                                                                                {"_mib", " (MiB)"},
                                                                                {"_percent", " (%)"},
                                                                                {"_ms", " (ms)"},
                                                                                {"_s", " (s)"}}};
  for (const auto& [end, unit] : units) {
    if (!name.ends_with(end)) continue;
    name.replace(name.size() - end.size(), end.size(), unit);
    break;
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

mustache::data table_of(const Table& table) {
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
