// SQL that was in files when wansweep was built: schema/sql/*.sql, schema/sql/migrations/ and analysis/<name>.sql.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

struct NamedQuery {
  std::string name;
  std::string sql;   // begins with a comment that states the question
  std::string plot;  // analysis/<name>.gp; empty: it has no picture
};

struct Migration {
  int version = 0;  // that it leads to, from the one before
  std::string sql;
};

extern const char* const results_sql;            // the tables of an empty database
extern const char* const views_sql;              // with marks: setting_lists.h
extern const std::vector<Migration> migrations;  // by version, from 2
extern const std::vector<NamedQuery> named_queries;

}  // namespace wansweep
