// The SQL files that are built into wansweep: schema/sql/*.sql, schema/sql/migrations/ and analysis/<name>.sql.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

struct NamedQuery {
  std::string name;
  std::string sql;   // begins with a comment that states the question
  std::string plot;  // the text of analysis/<name>.gp; empty when there is no picture
};

struct Migration {
  int version = 0;  // the version after the migration
  std::string sql;
};

extern const char* const results_sql;            // the tables of an empty database
extern const char* const views_sql;              // with marks: setting_lists.h
extern const std::vector<Migration> migrations;  // by version, from 2
extern const std::vector<NamedQuery> named_queries;

}  // namespace wansweep
