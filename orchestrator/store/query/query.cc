// Three measures keep a query from changing anything. The connection is read-only. The authorizer allows only what it
// knows: reading, PRAGMAs that only inform, and the functions in a list; a function that a newer SQLite, or another
// build, adds is refused until it is listed. And only a single statement is accepted, which SQLite must call read-only.
//
// Two mechanisms limit the time: SQLite calls `should_end` every thousand instructions, and a thread interrupts a
// statement that spends its time within one instruction. A single function that cannot be interrupted even then is
// given up by the caller (QueryLimits::abandon).

#include "orchestrator/store/query/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/nearest_name.h"

namespace wansweep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int instructions_between_looks = 1000;  // about 10 us with short instructions
constexpr std::chrono::milliseconds between_looks{20};
constexpr std::chrono::seconds patience{1};  // the time in which an interrupted statement must end

// The authorizer, which SQLite calls while it prepares a statement. The first refusal is kept for the error line.
struct Guard {
  std::string refused;
};

// PRAGMAs that only inform; an argument names the subject.
constexpr std::array<std::string_view, 11> telling_pragmas{
    "table_info",  "table_xinfo",   "table_list",    "index_list",      "index_info",     "foreign_key_list",
    "quick_check", "database_list", "function_list", "integrity_check", "compile_options"};

// Sorted. Functions that compute a value from values and touch nothing else.
constexpr auto computing_functions = std::to_array<std::string_view>({"->",
                                                                      "->>",
                                                                      "abs",
                                                                      "acos",
                                                                      "acosh",
                                                                      "asin",
                                                                      "asinh",
                                                                      "atan",
                                                                      "atan2",
                                                                      "atanh",
                                                                      "avg",
                                                                      "ceil",
                                                                      "ceiling",
                                                                      "char",
                                                                      "coalesce",
                                                                      "concat",
                                                                      "concat_ws",
                                                                      "cos",
                                                                      "cosh",
                                                                      "count",
                                                                      "cume_dist",
                                                                      "current_date",
                                                                      "current_time",
                                                                      "current_timestamp",
                                                                      "date",
                                                                      "datetime",
                                                                      "degrees",
                                                                      "dense_rank",
                                                                      "exp",
                                                                      "first_value",
                                                                      "floor",
                                                                      "format",
                                                                      "glob",
                                                                      "group_concat",
                                                                      "hex",
                                                                      "if",
                                                                      "ifnull",
                                                                      "iif",
                                                                      "instr",
                                                                      "json",
                                                                      "json_array",
                                                                      "json_array_length",
                                                                      "json_error_position",
                                                                      "json_extract",
                                                                      "json_group_array",
                                                                      "json_group_object",
                                                                      "json_insert",
                                                                      "json_object",
                                                                      "json_patch",
                                                                      "json_pretty",
                                                                      "json_quote",
                                                                      "json_remove",
                                                                      "json_replace",
                                                                      "json_set",
                                                                      "json_type",
                                                                      "json_valid",
                                                                      "julianday",
                                                                      "lag",
                                                                      "last_value",
                                                                      "lead",
                                                                      "length",
                                                                      "like",
                                                                      "likelihood",
                                                                      "likely",
                                                                      "ln",
                                                                      "log",
                                                                      "log10",
                                                                      "log2",
                                                                      "lower",
                                                                      "ltrim",
                                                                      "max",
                                                                      "median",
                                                                      "min",
                                                                      "mod",
                                                                      "nth_value",
                                                                      "ntile",
                                                                      "nullif",
                                                                      "octet_length",
                                                                      "percent_rank",
                                                                      "percentile",
                                                                      "percentile_cont",
                                                                      "percentile_disc",
                                                                      "pi",
                                                                      "pow",
                                                                      "power",
                                                                      "printf",
                                                                      "quote",
                                                                      "radians",
                                                                      "random",
                                                                      "randomblob",
                                                                      "rank",
                                                                      "replace",
                                                                      "round",
                                                                      "row_number",
                                                                      "rtrim",
                                                                      "sign",
                                                                      "sin",
                                                                      "sinh",
                                                                      "soundex",
                                                                      "sqlite_source_id",
                                                                      "sqlite_version",
                                                                      "sqrt",
                                                                      "strftime",
                                                                      "string_agg",
                                                                      "substr",
                                                                      "substring",
                                                                      "sum",
                                                                      "tan",
                                                                      "tanh",
                                                                      "time",
                                                                      "timediff",
                                                                      "total",
                                                                      "trim",
                                                                      "trunc",
                                                                      "typeof",
                                                                      "unhex",
                                                                      "unicode",
                                                                      "unixepoch",
                                                                      "unlikely",
                                                                      "upper",
                                                                      "zeroblob"});
static_assert(std::is_sorted(computing_functions.begin(), computing_functions.end()));

bool only_computes(std::string_view function) {
  return std::binary_search(computing_functions.begin(), computing_functions.end(), function);
}

int authorize(void* context, int action, const char* first, const char* second, const char*, const char*) {
  auto& guard = *static_cast<Guard*>(context);
  const std::string_view name = first != nullptr ? first : "";
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      if (second != nullptr && only_computes(second)) return SQLITE_OK;
      guard.refused = second != nullptr ? second : "a function";
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
      // Only the first refusal is kept: a DROP also asks for the DELETEs that it consists of.
      if (guard.refused.empty()) guard.refused = "a statement that changes the database";
  }
  return SQLITE_DENY;
}

// The reasons for which a query must end.
class Ends {
 public:
  explicit Ends(const QueryLimits& limits) : stop_(limits.stop) {
    if (limits.seconds) {
      deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(std::clamp(*limits.seconds, 0.0, 1e6)));
    }
  }
  bool possible() const { return deadline_ || stop_ != nullptr; }
  bool stopped() const { return stop_ != nullptr && *stop_ != 0; }
  bool reached() const { return stopped() || (deadline_ && Clock::now() > *deadline_); }

 private:
  std::optional<Clock::time_point> deadline_;
  const volatile std::sig_atomic_t* stop_;
};

int should_end(void* context) { return static_cast<const Ends*>(context)->reached() ? 1 : 0; }

Error ended(const Ends& ends, const QueryLimits& limits) {
  if (ends.stopped()) return {ExitCode::interrupted, "the query was stopped"};
  return bad_input(fmt::format("the query took longer than {:g} s", limits.seconds.value_or(0)));
}

// Interrupts the connection's statement when its time is over, from a thread of its own.
class Interrupter {
 public:
  Interrupter(sqlite3* db, const Ends& ends, const QueryLimits& limits) {
    if (ends.possible()) thread_ = std::thread([this, db, &ends, &limits] { watch(db, ends, limits); });
  }
  ~Interrupter() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;

 private:
  void watch(sqlite3* db, const Ends& ends, const QueryLimits& limits) {
    std::optional<Clock::time_point> since;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, between_looks, [&] { return done_; })) {
      if (!ends.reached()) continue;
      if (!since) since = Clock::now();
      sqlite3_interrupt(db);
      if (limits.abandon && Clock::now() - *since > patience) limits.abandon(ended(ends, limits));
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

// The store's connection without guard and deadline again, whatever happened.
class Watch {
 public:
  Watch(sqlite3* db, const QueryLimits& limits) : db_(db), ends_(limits) {
    sqlite3_set_authorizer(db_, authorize, &guard_);
    sqlite3_progress_handler(db_, instructions_between_looks, should_end, &ends_);
    interrupter_.emplace(db_, ends_, limits);
  }
  ~Watch() {
    interrupter_.reset();
    sqlite3_set_authorizer(db_, nullptr, nullptr);
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  const std::string& refused() const { return guard_.refused; }
  const Ends& ends() const { return ends_; }

 private:
  sqlite3* db_;
  Guard guard_;
  Ends ends_;
  std::optional<Interrupter> interrupter_;
};

[[noreturn]] void fail(Store& store, const Watch& watch, const QueryLimits& limits) {
  sqlite3* db = store.db.getHandle();
  const int code = sqlite3_errcode(db);
  if (!watch.refused().empty())
    throw bad_input(fmt::format("{} is not allowed in a query; queries only read", watch.refused()));
  if (code == SQLITE_INTERRUPT) throw ended(watch.ends(), limits);
  if (code == SQLITE_ERROR || code == SQLITE_READONLY || code == SQLITE_RANGE || code == SQLITE_TOOBIG) {
    throw bad_input(fmt::format("query: {}", sqlite3_errmsg(db)));
  }
  if (code == SQLITE_NOMEM) throw bad_input("query: there is not enough memory for it");
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

bool stream_query(Store& store, const std::string& sql, const QueryLimits& limits, const RowSink& sink) {
  const Watch watch(store.db.getHandle(), limits);
  const char* tail = nullptr;
  const Statement statement = prepare(store, watch, limits, sql.c_str(), &tail);
  if (!statement) throw bad_input("query: the text holds no statement");
  while (*tail != '\0') {
    if (prepare(store, watch, limits, tail, &tail))
      throw bad_input("query: the text holds several statements; give one at a time");
  }
  if (sqlite3_stmt_readonly(statement.get()) == 0) {
    throw bad_input("a statement that changes the database is not allowed in a query; queries only read");
  }

  const int columns = sqlite3_column_count(statement.get());
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(columns));
  for (int c = 0; c < columns; ++c) names.emplace_back(sqlite3_column_name(statement.get(), c));
  sink.columns(std::move(names));
  for (size_t rows = 0;; ++rows) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) fail(store, watch, limits);
    if (limits.rows && rows >= *limits.rows) return true;
    std::vector<Cell> row;
    row.reserve(static_cast<size_t>(columns));
    for (int c = 0; c < columns; ++c) row.push_back(cell_of(statement.get(), c));
    sink.row(std::move(row));
  }
  if (store.access) store.access->check_unchanged();
  return false;
}

Table run_query(Store& store, const std::string& sql, const QueryLimits& limits) {
  Table table;
  table.cut = stream_query(store, sql, limits,
                           {[&](std::vector<std::string> names) { table.columns = std::move(names); },
                            [&](std::vector<Cell> row) { table.rows.push_back(std::move(row)); }});
  return table;
}

const std::string& named_query(const std::string& name) {
  std::vector<std::string_view> names;
  for (const NamedQuery& query : named_queries) {
    if (query.name == name) return query.sql;
    names.emplace_back(query.name);
  }
  const std::string nearest = nearest_name(name, names);
  throw bad_input(nearest.empty() ? fmt::format("no query is named {}; give one of {}", name, fmt::join(names, ", "))
                                  : fmt::format("no query is named {}; did you mean {}?", name, nearest));
}

std::string question_of(const NamedQuery& query) {
  const std::string line = query.sql.substr(0, query.sql.find('\n'));
  return line.substr(std::min(line.size(), line.find_first_not_of("- ")));
}

}  // namespace wansweep
