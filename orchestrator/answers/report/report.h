// One HTML page about a sweep, complete in itself: the verdict in sentences, then tables and pictures, each with its
// query, and at the end the database and the sweep's file.
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
  std::string title;                                          // the question that the section answers
  std::string notes;                                          // the rest of the query's comment
  std::string sql;                                            // the query; the page shows it when asked to
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
  std::vector<std::string> missing;  // queries without a picture, because gnuplot is not installed
};

// Runs the queries and draws the pictures. `sweep` is the sweep's name; empty means the only sweep of the database.
// Throws bad_input when there is no such sweep or it has no complete run. Without gnuplot the page has tables in place
// of pictures, and says so.
Report make_report(Store& store, const std::string& sweep, const ProgressSink& progress = {});

// The page as HTML, self-contained.
std::string to_html(const Report& report);

}  // namespace wansweep
