#include "orchestrator/verbs/known_run.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/nearest_name.h"
#include "base/printable.h"
#include "base/shell_quote.h"

namespace wansweep {

void check_run_is_known(const std::string& run, const SweepRecord& record, const AttemptFolder& attempts,
                        const std::string& directory) {
  std::set<std::string_view> known;
  for (const ListedRun& listed : record.runs) known.insert(listed.run);
  for (const EarlierMatrix& matrix : record.earlier) {
    for (const ListedRun& listed : matrix.runs) known.insert(listed.run);
  }
  for (const auto& [name, attempt] : attempts.newest()) known.insert(name);
  for (const auto& [name, block] : attempts.blocks()) known.insert(name);
  if (known.contains(run)) return;
  const std::string nearest = nearest_name(run, std::vector<std::string_view>(known.begin(), known.end()));
  throw bad_input(fmt::format("{}: the sweep has no such run; {}see wansweep status {}", printable(run),
                              nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest), shell_word(directory)));
}

}  // namespace wansweep
