// A database of an older version becomes one of this version, in place; its views become those of this program.
#pragma once

#include "orchestrator/store/database.h"

namespace wansweep {

// PRAGMA user_version of schema/sql/results.sql: the last of schema/sql/migrations/.
int store_version();

// Within the caller's write transaction. First copies the file to PATH.vN-TIME, N its version: nothing is lost when the
// upgrade is regretted. Returns the copy's path. Throws Error(output) when there is no room for the copy.
std::string upgrade(Store& store, int from_version);

// Makes the views of schema/sql/views.sql and, by its name, one of each query in analysis/, where they differ from what
// is there. Within the caller's write transaction.
void refresh_views(Store& store);

// The same for a connection that only reads: views of its own stand before those that differ.
void shadow_views(Store& store);

// Whether all of them are there as this program has them.
bool has_current_views(Store& store);

}  // namespace wansweep
