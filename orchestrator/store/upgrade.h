// Upgrades a database of an older version in place, and replaces its views by those of this program.
#pragma once

#include "orchestrator/store/database.h"

namespace wansweep {

// PRAGMA user_version of schema/sql/results.sql: the last of schema/sql/migrations/.
int store_version();

// Upgrades the database, within the caller's write transaction. First copies the file to PATH.vN-TIME, where N is its
// version, so that the upgrade can be undone. Returns the copy's path. Throws Error(output) when the copy fails.
std::string upgrade(Store& store, int from_version);

// Creates the views of schema/sql/views.sql and a view for each query in analysis/, if they are missing or different.
// Within the caller's write transaction.
void refresh_views(Store& store);

// The same for a read-only connection: temporary views hide those that differ.
void shadow_views(Store& store);

// Whether the database has all these views, unchanged.
bool has_current_views(Store& store);

}  // namespace wansweep
