// Binds values to prepared statements, by position.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <string>

namespace wansweep {

inline void bind(SQLite::Statement& s, int i, int64_t value) { s.bind(i, value); }
inline void bind(SQLite::Statement& s, int i, double value) { s.bind(i, value); }
inline void bind(SQLite::Statement& s, int i, const std::string& value) { s.bind(i, value); }
template <typename T>
void bind(SQLite::Statement& s, int i, const std::optional<T>& value) {
  if (value) {
    bind(s, i, *value);
  } else {
    s.bind(i);
  }
}

// Runs the statement with these values; it can be run again.
template <typename... T>
void execute(SQLite::Statement& statement, const T&... values) {
  int i = 0;
  (bind(statement, ++i, values), ...);
  statement.exec();
  statement.reset();
}

}  // namespace wansweep
