// Finds a sweep by its directory or its name. Names are not unique: two directories may hold sweeps of the same name. A
// sweep is identified by its directory, or by a database and a name, which is unique in one database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/database.h"

namespace wansweep {

// The sweep's directory: `sweep` itself; or, with a database, the directory from which the sweep of that name was
// gathered; or out/NAME, the default of `wansweep run`. Throws bad_input listing the places searched.
std::string find_sweep_directory(const std::string& sweep, const std::string& database);

// The database for `path`: results.db in a sweep's directory, or `path` itself.
std::string database_file(const std::string& path);

// A directory in the form that the database stores.
std::string absolute_directory(const std::string& directory);

// The names of all sweeps in the database.
std::vector<std::string> stored_sweeps(Store& store);

// The directory from which the sweep `name` was gathered; nullopt when the database has no such sweep.
std::optional<std::string> stored_directory(Store& store, const std::string& name);

}  // namespace wansweep
