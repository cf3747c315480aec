// Runs queries on the database: any single SQL statement that only reads.
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
  std::optional<size_t> rows;  // the most rows; Table::cut tells whether there were more
  const volatile std::sig_atomic_t* stop =
      nullptr;  // points to a flag that stops the query; a signal handler may set it
  // Called from another thread, every 20 ms, when a query still runs a second after it had to end, since a single
  // function of SQLite cannot be interrupted. The function may call _exit(): nothing is being written.
  std::function<void(const Error&)> abandon = {};
};

// Receives an answer row by row: first the columns, then each row.
struct RowSink {
  std::function<void(std::vector<std::string>)> columns;
  std::function<void(std::vector<Cell>)> row;
};

// Runs `sql` on a store from open_store_readonly. Throws bad_input when it is more than one statement, would change or
// attach anything, is wrong, or exceeds the time limit; interrupted when it was stopped; store_busy when the database
// was written meanwhile and no lock could prevent that (read_only.h).
Table run_query(Store& store, const std::string& sql, const QueryLimits& limits = {});

// The same row by row, for answers that may not fit into memory. Returns whether there were more than limits.rows.
bool stream_query(Store& store, const std::string& sql, const QueryLimits& limits, const RowSink& sink);

// The SQL of analysis/<name>.sql. Throws bad_input naming the nearest, or all, when there is none of that name.
const std::string& named_query(const std::string& name);

// The question of a named query: the first line of its comment, without the dashes.
std::string question_of(const NamedQuery& query);

}  // namespace wansweep
