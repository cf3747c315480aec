// Questions to the database: any one SQL statement that only reads.
#pragma once

#include <csignal>
#include <optional>
#include <string>

#include "orchestrator/store/database.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/table.h"

namespace wansweep {

struct QueryLimits {
  std::optional<double> seconds;
  std::optional<size_t> rows;                        // Table::cut says that there were more
  const volatile std::sig_atomic_t* stop = nullptr;  // not 0: stop the query; a signal handler may set it
};

// Runs `sql` on a store of open_store_readonly. Throws bad_input, with one line, when it is more than one statement,
// would change or attach anything, is wrong, or takes longer than it may; interrupted when it was stopped.
Table run_query(Store& store, const std::string& sql, const QueryLimits& limits = {});

// The SQL of analysis/<name>.sql. Throws bad_input naming all when there is none of that name.
const std::string& named_query(const std::string& name);

// The comment that a named query begins with, its first line, without the dashes.
std::string question_of(const NamedQuery& query);

}  // namespace wansweep
