#include "orchestrator/store/setting_lists.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "orchestrator/store/embedded_sql.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

std::string values(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += fmt::format("{}('{}')", text.empty() ? "" : ", ", name);
  return text;
}

void fill_in(std::string& sql, const std::string& mark, const std::string& text) {
  const size_t at = sql.find(mark);
  if (at == std::string::npos) throw Error(ExitCode::internal, fmt::format("views.sql: has no {}", mark));
  sql.replace(at, mark.size(), text);
}

}  // namespace

std::string offload_option_values() { return values(settings_of(Role::offload)); }

std::string parallel_option_values() { return values({"cfg_parallel", "ulysses", "ring"}); }

std::string filled_views_sql() {
  std::string sql = views_sql;
  fill_in(sql, "{{offload_options}}", offload_option_values());
  fill_in(sql, "{{parallel_options}}", parallel_option_values());
  return sql;
}

}  // namespace wansweep
