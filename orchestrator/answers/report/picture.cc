// gnuplot is a separate program, and names may come from anybody's files: they are reduced to plain words before they
// reach gnuplot's commands or data. Several pictures share one page, so the ids of each SVG are made unique.

#include "orchestrator/answers/report/picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/temporary_folder.h"
#include "orchestrator/answers/report/embedded_page.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

// Names go into gnuplot's quoted words and tab-separated lines.
std::string plain(const std::string& text) {
  std::string words = printable(text);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == '\'' || c == '"' || c == '\\' || c == '`'; }, ' ');
  return words;
}

std::string data_text(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return plain(*text);
  return "?";  // gnuplot's word for a missing value
}

struct Data {
  std::string text;
  std::vector<std::string> names;
  std::vector<std::vector<int>> records;  // [series][column]: number of rows that have a value
};

Data data_of(const Table& table) {
  Data data;
  for (const auto& row : table.rows) {
    const std::string name = data_text(row.at(0));
    if (data.names.empty() || data.names.back() != name) {
      if (!data.names.empty()) data.text += "\n\n";
      data.names.push_back(name);
      data.text += name + '\n';
      data.records.emplace_back(row.size() - 1);
    }
    for (size_t c = 1; c < row.size(); ++c)
      data.records.back()[c - 1] += std::holds_alternative<std::monostate>(row[c]) ? 0 : 1;
    for (size_t c = 1; c < row.size(); ++c) data.text += (c > 1 ? "\t" : "") + data_text(row[c]);
    data.text += '\n';
  }
  return data;
}

// "at_step = 1": the place of each column by its name.
std::string places_of(const std::vector<std::string>& columns) {
  std::string places;
  for (size_t c = 1; c < columns.size(); ++c) {
    const bool word = std::all_of(columns[c].begin(), columns[c].end(), [](unsigned char letter) {
      return letter == '_' || (letter < 0x80 && std::isalnum(letter) != 0);
    });
    if (word) places += fmt::format("at_{} = {}\n", columns[c], c);
  }
  return places;
}

void run_gnuplot(const TemporaryFolder& folder) {
  if (!gnuplot_is_installed()) {
    throw bad_input(
        "gnuplot, which draws the report's pictures, is not installed; install gnuplot-nox (Debian) or load its "
        "module");
  }
  Command command;
  command.arguments = {"gnuplot", folder.file("plot.gp")};
  command.stdout_file = folder.file("picture.svg");
  command.stderr_file = folder.file("errors");
  const pid_t pid = spawn(command);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string words = read_text(folder.file("errors"));
  std::replace(words.begin(), words.end(), '\n', ' ');
  throw Error(ExitCode::internal, fmt::format("gnuplot failed: {}", words));
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// Several pictures share one page: ids are made unique, and black follows the page's text, dark or light.
std::string for_html(std::string svg, const Picture& picture) {
  const size_t begin = svg.find("<svg");
  if (begin == std::string::npos)
    throw Error(ExitCode::internal, fmt::format("{}: gnuplot drew nothing", picture.name));
  svg.erase(0, begin);
  const size_t defs = svg.find("<title>");
  const size_t after = svg.find("</desc>", defs);
  if (defs != std::string::npos && after != std::string::npos) svg.erase(defs, after + 7 - defs);
  svg.replace(0, 4, fmt::format("<svg role=\"img\" aria-label=\"{}\"", plain(picture.title)));
  for (const char* black : {"'black'", "\"black\"", "'rgb(  0,   0,   0)'", "\"rgb(0,0,0)\""}) {
    replace_all(svg, black, "\"currentColor\"");
  }
  replace_all(svg, "fill=\"#ffffff\"", "fill=\"none\"");
  for (const char* id : {"gpDot", "gpPt", "gpPat", "textbox", "greybox", "gnuplot_canvas"}) {
    replace_all(svg, fmt::format("id='{}", id), fmt::format("id='{}-{}", picture.name, id));
    replace_all(svg, fmt::format("id=\"{}", id), fmt::format("id=\"{}-{}", picture.name, id));
    replace_all(svg, fmt::format("href='#{}", id), fmt::format("href='#{}-{}", picture.name, id));
    replace_all(svg, fmt::format("url(#{}", id), fmt::format("url(#{}-{}", picture.name, id));
  }
  replace_all(svg, "id=\"picture_", fmt::format("id=\"{}_", picture.name));
  return svg;
}

}  // namespace

bool gnuplot_is_installed() { return !find_program("gnuplot").empty(); }

bool can_be_drawn(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(), [](const std::vector<Cell>& row) {
    return row.size() > 2 && !std::holds_alternative<std::monostate>(row[1]) &&
           !std::holds_alternative<std::monostate>(row[2]);
  });
}

std::string draw(const Picture& picture) {
  const TemporaryFolder folder;
  const Data data = data_of(picture.table);
  std::string names;
  for (const std::string& name : data.names) names += fmt::format("'{}' ", name);
  std::map<std::string, int> linetypes;
  for (const auto& [series, linetype] : picture.linetypes) linetypes[plain(series)] = linetype;
  std::string types;
  for (size_t i = 0; i < data.names.size(); ++i) {
    const auto known = linetypes.find(data.names[i]);
    types += fmt::format("{} ", known != linetypes.end() ? known->second : static_cast<int>(i) + 1);
  }
  std::string records;
  for (const std::vector<int>& series : data.records) records += fmt::format("{} ", fmt::join(series, " "));
  std::ofstream(folder.file("data.tsv")) << data.text;
  std::ofstream(folder.file("everything.tsv")) << (picture.whole.rows.empty() ? data : data_of(picture.whole)).text;
  std::ofstream(folder.file("plot.gp")) << fmt::format(
                                               "data = \"{}\"\neverything = \"{}\"\nseries = {}\nnames = \"{}\"\n"
                                               "columns = {}\n{}records = \"{}\"\ntypes = \"{}\"\n"
                                               "lt(i) = int(word(types, i + 1))\n"
                                               "has(i, c) = int(word(records, i * columns + c)) > 0\n",
                                               folder.file("data.tsv"), folder.file("everything.tsv"),
                                               data.names.size(), names,
                                               picture.table.columns.empty() ? 0 : picture.table.columns.size() - 1,
                                               places_of(picture.table.columns), records, types)
                                        << plot_style << picture.commands;
  run_gnuplot(folder);
  return for_html(read_text(folder.file("picture.svg")), picture);
}

}  // namespace wansweep
