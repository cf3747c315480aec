#include "orchestrator/store/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "base/nearest_name.h"
#include "schema/run_settings.h"

namespace wansweep {
namespace {

constexpr int instructions_between_looks = 10'000;  // some 0.1 ms

// What SQLite asks about a statement while it is prepared; the first refusal is kept for the person.
struct Guard {
  std::string refused;
};

// PRAGMAs that only tell; with an argument, these name what to tell of.
constexpr std::array<std::string_view, 11> telling_pragmas{
    "table_info",  "table_xinfo",   "table_list",    "index_list",      "index_info",     "foreign_key_list",
    "quick_check", "database_list", "function_list", "integrity_check", "compile_options"};

int authorize(void* context, int action, const char* first, const char* second, const char*, const char*) {
  auto& guard = *static_cast<Guard*>(context);
  const std::string_view name = first != nullptr ? first : "";
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      if (second == nullptr || std::string_view(second) != "load_extension") return SQLITE_OK;
      guard.refused = "load_extension";
      break;
    case SQLITE_PRAGMA:
      if (second == nullptr && (name == "user_version" || name == "journal_mode")) return SQLITE_OK;
      if (std::find(telling_pragmas.begin(), telling_pragmas.end(), name) != telling_pragmas.end()) return SQLITE_OK;
      guard.refused = fmt::format("PRAGMA {}", name);
      break;
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      guard.refused = action == SQLITE_ATTACH ? "ATTACH" : "DETACH";
      break;
    default:
      // Only the first: a DROP asks for the DELETEs that it is made of as well.
      if (guard.refused.empty()) guard.refused = "a statement that changes the database";
  }
  return SQLITE_DENY;
}

struct Ends {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  const volatile std::sig_atomic_t* stop = nullptr;
};

int should_end(void* context) {
  const auto& ends = *static_cast<Ends*>(context);
  if (ends.stop != nullptr && *ends.stop != 0) return 1;
  return ends.deadline && std::chrono::steady_clock::now() > *ends.deadline ? 1 : 0;
}

struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

// The store's connection without guard and deadline again, whatever happened.
class Watch {
 public:
  Watch(sqlite3* db, const QueryLimits& limits) : db_(db) {
    sqlite3_set_authorizer(db_, authorize, &guard_);
    ends_.stop = limits.stop;
    if (limits.seconds) {
      ends_.deadline =
          std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                 std::chrono::duration<double>(std::clamp(*limits.seconds, 0.0, 1e6)));
    }
    sqlite3_progress_handler(db_, instructions_between_looks, should_end, &ends_);
  }
  ~Watch() {
    sqlite3_set_authorizer(db_, nullptr, nullptr);
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  const std::string& refused() const { return guard_.refused; }

 private:
  sqlite3* db_;
  Guard guard_;
  Ends ends_;
};

[[noreturn]] void fail(Store& store, const Watch& watch, const QueryLimits& limits) {
  sqlite3* db = store.db.getHandle();
  const int code = sqlite3_errcode(db);
  if (!watch.refused().empty())
    throw bad_input(fmt::format("{} is not allowed here; queries only read", watch.refused()));
  if (code == SQLITE_INTERRUPT && limits.stop != nullptr && *limits.stop != 0) {
    throw Error(ExitCode::interrupted, "the query was stopped");
  }
  if (code == SQLITE_INTERRUPT) {
    throw bad_input(fmt::format("the query took longer than {:g} s", limits.seconds.value_or(0)));
  }
  if (code == SQLITE_ERROR || code == SQLITE_READONLY || code == SQLITE_RANGE || code == SQLITE_TOOBIG) {
    throw bad_input(fmt::format("query: {}", sqlite3_errmsg(db)));
  }
  throw store_error(store.path, SQLite::Exception(db));
}

Statement prepare(Store& store, const Watch& watch, const QueryLimits& limits, const char* sql, const char** tail) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(store.db.getHandle(), sql, -1, &raw, tail);
  Statement statement(raw);
  if (code != SQLITE_OK) fail(store, watch, limits);
  return statement;
}

Cell cell_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
    }
    case SQLITE_BLOB:
      return fmt::format("{} bytes", sqlite3_column_bytes(statement, column));
    default:
      return std::monostate{};
  }
}

}  // namespace

Table run_query(Store& store, const std::string& sql, const QueryLimits& limits) {
  const Watch watch(store.db.getHandle(), limits);
  const char* tail = nullptr;
  const Statement statement = prepare(store, watch, limits, sql.c_str(), &tail);
  if (!statement) throw bad_input("query: there is no statement in it");
  while (*tail != '\0') {
    if (prepare(store, watch, limits, tail, &tail))
      throw bad_input("query: holds several statements; ask one at a time");
  }
  if (sqlite3_stmt_readonly(statement.get()) == 0) {
    throw bad_input("a statement that changes the database is not allowed here; queries only read");
  }

  Table table;
  const int columns = sqlite3_column_count(statement.get());
  for (int c = 0; c < columns; ++c) table.columns.emplace_back(sqlite3_column_name(statement.get(), c));
  for (;;) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE) return table;
    if (code != SQLITE_ROW) fail(store, watch, limits);
    if (limits.rows && table.rows.size() >= *limits.rows) {
      table.cut = true;
      return table;
    }
    std::vector<Cell>& row = table.rows.emplace_back();
    for (int c = 0; c < columns; ++c) row.push_back(cell_of(statement.get(), c));
  }
}

const std::string& named_query(const std::string& name) {
  std::vector<std::string_view> names;
  for (const NamedQuery& query : named_queries) {
    if (query.name == name) return query.sql;
    names.emplace_back(query.name);
  }
  const std::string nearest = nearest_name(name, names);
  throw bad_input(nearest.empty() ? fmt::format("no query is named {}; there are {}", name, fmt::join(names, ", "))
                                  : fmt::format("no query is named {}; did you mean {}?", name, nearest));
}

std::string question_of(const NamedQuery& query) {
  const std::string line = query.sql.substr(0, query.sql.find('\n'));
  return line.substr(std::min(line.size(), line.find_first_not_of("- ")));
}

}  // namespace wansweep
