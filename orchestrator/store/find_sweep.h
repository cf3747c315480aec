// A sweep as people name it: by its directory, or by its name.
#pragma once

#include <string>

namespace wansweep {

// The directory itself; or out/NAME, where `wansweep run` puts it; or, with a database, where it was gathered from.
// Throws bad_input listing what was looked at.
std::string find_sweep_directory(const std::string& sweep, const std::string& database);

// The database that `path` names: a sweep's directory holds results.db; all else is one itself.
std::string database_file(const std::string& path);

}  // namespace wansweep
