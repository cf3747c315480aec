// One page about a sweep that opens anywhere: the verdict in sentences, then tables and pictures, each with the query
// behind it, and where all of it came from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/terminal/progress_line.h"
#include "orchestrator/answers/report/verdict.h"
#include "orchestrator/store/database.h"
#include "orchestrator/store/query/table.h"

namespace wansweep {

struct Section {
  std::string title;                                          // the question that it answers
  std::string notes;                                          // the rest of the query's comment
  std::string sql;                                            // folded beneath
  Table table;                                                // shown when there is no picture
  std::vector<std::pair<std::string, std::string>> pictures;  // caption and <svg>, one a configuration
};

struct Chapter {
  std::string title;
  std::vector<Section> sections;  // at least one
};

struct Report {
  std::string sweep;
  std::string summary;  // one line: runs, how many complete, when and by what they were made
  std::string file;     // the sweep's TOML file, and its text
  std::string matrix;
  std::string database;
  SweepVerdict verdict;
  std::vector<Chapter> chapters;
  std::vector<std::string> missing;  // queries whose pictures are not drawn, for gnuplot is not installed
};

// Asks and draws. `sweep`: its name; empty: the database's only one. Throws bad_input when there is no such sweep or it
// has no complete run. Without gnuplot
// there are tables in place of pictures, and the page says so.
Report make_report(Store& store, const std::string& sweep, const ProgressSink& progress = {});

// The page as HTML, self-contained.
std::string to_html(const Report& report);

}  // namespace wansweep
