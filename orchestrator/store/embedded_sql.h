// SQL that was in files when wansweep was built: schema/results.sql, and analysis/<name>.sql.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

struct NamedQuery {
  std::string name;
  std::string sql;  // begins with a comment that states the question
};

extern const char* const results_sql;
extern const std::vector<NamedQuery> named_queries;

}  // namespace wansweep
