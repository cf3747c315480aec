// A sweep as people name it: by its directory, or by its name. Names are not unique: two directories may hold sweeps of
// one name. What identifies a sweep is its directory, or a database and a name, which in one database is unique.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/store/database.h"

namespace wansweep {

// The directory itself; with a database, where the sweep of that name was gathered from; out/NAME, where `wansweep run`
// puts it. Throws bad_input listing what was looked at.
std::string find_sweep_directory(const std::string& sweep, const std::string& database);

// The database that `path` names: a sweep's directory holds results.db; all else is one itself.
std::string database_file(const std::string& path);

// A directory as the database keeps it.
std::string absolute_directory(const std::string& directory);

// Where the sweep called `name` in `store` was gathered from; nullopt: it has none of that name.
std::optional<std::string> stored_directory(Store& store, const std::string& name);

}  // namespace wansweep
