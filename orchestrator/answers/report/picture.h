// A table drawn by gnuplot as SVG.
#pragma once

#include <map>
#include <string>

#include "orchestrator/store/query/table.h"

namespace wansweep {

// What a plot's commands (analysis/<name>.gp) find: `data`, a file with an index a series, its first line the series'
// name; `series`, how many; `names`, them as words in quotes; lt(i), the linetype of series i; has(i, c), whether it
// has a number in column c. Columns are those after the table's first.
struct Picture {
  std::string name;   // unique in its page: it becomes the prefix of the SVG's ids
  std::string title;  // read out by screen readers
  std::string commands;
  Table table;                                // first column: the series, rows of one series together
  std::map<std::string, int> linetypes = {};  // by series, as style.gp numbers them; else its place
};

// Whether a row has values in the first two columns after the series: gnuplot fails where it finds none.
bool can_be_drawn(const Table& table);

bool gnuplot_is_installed();

// The <svg> element, for use within HTML; what was black has the text's colour. Throws bad_input when gnuplot is not
// installed, Error(internal) with its words when it fails.
std::string draw(const Picture& picture);

}  // namespace wansweep
