// A table drawn by gnuplot as SVG.
#pragma once

#include <map>
#include <string>

#include "orchestrator/store/query/table.h"

namespace wansweep {

// The commands of a picture (analysis/<name>.gp) find these gnuplot variables and functions. data: a file with one
// index for each series, whose first line is the series' name. everything: the same of all rows of `whole`. series:
// their number. names: the names as quoted words. lt(i): the linetype of series i. has(i, c): whether series i has a
// number in column c. Column 1 is the one after the table's first; at_NAME is the column NAME.
struct Picture {
  std::string name;   // unique in its page: it becomes the prefix of the SVG's ids
  std::string title;  // read out by screen readers
  std::string commands;
  Table table;                                // first column: the series, rows of one series together
  std::map<std::string, int> linetypes = {};  // by series, as style.gp numbers them; without one: its position
  Table whole = {};  // the rows of all pictures that share a scale, this one's among them; without rows: `table`
};

// Whether a row has values in the first two columns after the series: gnuplot fails where it finds none.
bool can_be_drawn(const Table& table);

bool gnuplot_is_installed();

// Returns the <svg> element, for use within HTML. What gnuplot draws in black gets the colour of the page's text.
// Throws bad_input when gnuplot is not installed, and Error(internal) with gnuplot's message when it fails.
std::string draw(const Picture& picture);

}  // namespace wansweep
