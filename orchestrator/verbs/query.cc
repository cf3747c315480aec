#include <fmt/format.h>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/standard_error.h"
#include "base/text_table.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/query/query.h"
#include "orchestrator/store/query/table_writer.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

// The time limit where a reader makes gather wait: half of the time that gather waits.
constexpr double most_seconds_in_the_way = 30;

volatile std::sig_atomic_t stopped = 0;  // set by Ctrl-C

struct QueryArguments {
  std::string database;
  std::string question;
  bool csv = false;
  bool json = false;
  bool table = false;
  bool list = false;
  QueryLimits limits;
};

int list_queries() {
  TextTable table({{"query"}, {"question"}});
  for (const NamedQuery& query : named_queries) table.add_row({query.name, question_of(query)});
  fmt::print("{}", table.to_string());
  return static_cast<int>(ExitCode::ok);
}

// The name of a query is one word; an SQL statement is not.
std::string sql_of(const std::string& question) {
  return question.find_first_of(" \t\n;(") == std::string::npos ? named_query(question) : question;
}

// Small answers are printed when they are complete, so that a slow reader of the output does not hold the database's
// lock; large ones are printed row by row, so that they need not fit into memory.
class Output {
 public:
  void add(std::string_view text) {
    text_ += text;
    if (text_.size() > held_back) flush();
  }
  void flush() {
    const bool written = std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() && std::fflush(stdout) == 0;
    if (!written) {
      throw Error(ExitCode::output, fmt::format("standard output cannot be written: {}", error_text(errno)));
    }
    text_.clear();
  }

 private:
  static constexpr size_t held_back = size_t{8} << 20;
  std::string text_;
};

int query(const QueryArguments& options) {
  if (options.list) return list_queries();
  if (options.database.empty() || options.question.empty()) {
    throw bad_input("query: give a database (or a sweep's directory) and a question; --list shows the named questions");
  }
  Store store = open_store_readonly(database_file(options.database));
  QueryLimits limits = options.limits;
  limits.stop = &stopped;
  limits.abandon = [](const Error& error) {
    print_error("wansweep: {}\n", error.what());
    _exit(static_cast<int>(error.code()));
  };
  if (!limits.seconds && !reads_beside_writer(store)) limits.seconds = most_seconds_in_the_way;
  std::signal(SIGINT, [](int) { stopped = 1; });
  Output output;
  TableWriter writer(options.csv    ? TableFormat::csv
                     : options.json ? TableFormat::json
                                    : TableFormat::text,
                     [&](std::string_view text) { output.add(text); });
  const bool cut = stream_query(store, sql_of(options.question), limits,
                                {[&](std::vector<std::string> names) { writer.columns(std::move(names)); },
                                 [&](std::vector<Cell> row) { writer.row(std::move(row)); }});
  writer.finish();
  output.flush();
  std::signal(SIGINT, SIG_DFL);
  if (cut) print_error("wansweep: only the first {} rows are shown\n", *limits.rows);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_query(CLI::App& app, Action& action) {
  auto options = std::make_shared<QueryArguments>();
  CLI::App* verb = app.add_subcommand(
      "query", "Ask the results database a question, in SQL or by the name of a query; it is opened read-only");
  verb->add_option("DB", options->database, "the database, or a sweep's directory that holds results.db");
  verb->add_option("SQL", options->question, "one SQL statement, or the name of a query (--list)");
  CLI::Option* csv = verb->add_flag("--csv", options->csv, "as CSV (RFC 4180)");
  CLI::Option* json = verb->add_flag("--json", options->json, "as a JSON list of objects");
  CLI::Option* table = verb->add_flag("--table", options->table, "as a table (the default)");
  csv->excludes(json)->excludes(table);
  json->excludes(table);
  verb->add_flag("--list", options->list, "list the named queries");
  verb->add_option_function<int64_t>(
          "--max-rows", [options](int64_t rows) { options->limits.rows = static_cast<size_t>(rows); },
          "stop after so many rows")
      ->check(whole_number(0));
  verb->add_option_function<double>(
          "--timeout", [options](double seconds) { options->limits.seconds = seconds; },
          "give up after so many seconds (default: never; on a network file system 30, since gather must wait for "
          "a query there)")
      ->check(number_above(0));
  verb->footer(
      "Examples:\n  wansweep query out/demo offload_comparison\n"
      "  wansweep query out/demo \"select * from runs limit 5\" --csv");
  verb->callback([options, &action] { action = [options] { return query(*options); }; });
}

}  // namespace wansweep
