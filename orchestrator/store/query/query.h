// Questions to the database: any one SQL statement that only reads.
#pragma once

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/database.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/query/table.h"

namespace wansweep {

struct QueryLimits {
  std::optional<double> seconds;
  std::optional<size_t> rows;                        // Table::cut says that there were more
  const volatile std::sig_atomic_t* stop = nullptr;  // not 0: stop the query; a signal handler may set it
  // Called, from another thread and every 20 ms, while a query goes on a second after it had to end: a single function
  // of SQLite cannot be interrupted. Whoever asks may leave by _exit(); nothing is being written.
  std::function<void(const Error&)> abandon = {};
};

// Gets an answer as it comes: its columns once, then its rows.
struct RowSink {
  std::function<void(std::vector<std::string>)> columns;
  std::function<void(std::vector<Cell>)> row;
};

// Runs `sql` on a store of open_store_readonly. Throws bad_input, with one line, when it is more than one statement,
// would change or attach anything, is wrong, or takes longer than it may; interrupted when it was stopped;
// store_busy when the database was written to meanwhile and no lock could keep its states apart (read_only.h).
Table run_query(Store& store, const std::string& sql, const QueryLimits& limits = {});

// The same row by row, for answers that need not fit into memory. Returns whether there were more rows than
// limits.rows.
bool stream_query(Store& store, const std::string& sql, const QueryLimits& limits, const RowSink& sink);

// The SQL of analysis/<name>.sql. Throws bad_input naming all when there is none of that name.
const std::string& named_query(const std::string& name);

// The comment that a named query begins with, its first line, without the dashes.
std::string question_of(const NamedQuery& query);

}  // namespace wansweep
