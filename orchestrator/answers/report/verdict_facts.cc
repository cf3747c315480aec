// The query returns one row for each run. Runs with equal `work` form a case, and the runs of a case with an equal
// label form a way; both are formed here, so that the sentences know every repeat and not only medians.

#include "orchestrator/answers/report/verdict_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/enum_names.h"
#include "orchestrator/answers/report/cells.h"
#include "orchestrator/store/query/query.h"
#include "schema/setting_values.h"

namespace wansweep {
namespace {

// "4 ranks, plan 2x2, flow_shift 12". `problem` is "all" when runs differ only in their ways and ranks.
std::string case_name(std::optional<int64_t> ranks, const std::string& plan, bool plans_differ,
                      const std::string& problem) {
  std::string name = ranks ? fmt::format("{} rank{}", *ranks, *ranks == 1 ? "" : "s") : "number of ranks not told";
  if (plans_differ) name += ", plan " + plan;
  if (problem != "all") name += ", " + problem;
  return name;
}

template <typename T, typename Same>
T& find_or_add(std::vector<T>& all, const Same& same, T fresh) {
  const auto found = std::find_if(all.begin(), all.end(), same);
  if (found != all.end()) return *found;
  all.push_back(std::move(fresh));
  return all.back();
}

void keep_highest(std::optional<double>& highest, const Cell& cell) {
  const std::optional<double> value = number_of(cell);
  if (value && (!highest || *value > *highest)) highest = value;
}

LatentsState state_of(const Cell& nonfinite_values) {
  const std::optional<int64_t> count = integer_of(nonfinite_values);
  if (!count) return LatentsState::unknown;
  return *count > 0 ? LatentsState::not_finite : LatentsState::finite;
}

// The state of the latents of two repeats taken together: the worse one.
LatentsState together(LatentsState one, LatentsState other) {
  if (one == LatentsState::not_finite || other == LatentsState::not_finite) return LatentsState::not_finite;
  return one == LatentsState::unknown || other == LatentsState::unknown ? LatentsState::unknown : LatentsState::finite;
}

std::vector<CaseFacts> read_cases(Store& store, const std::string& sweep, const WayNames& names) {
  const Table runs = run_query(
      store,
      fmt::format(
          "WITH official AS (SELECT run_id, min(value IS catalog_value) AS yes FROM setting WHERE catalog_value IS NOT "
          "NULL GROUP BY run_id), host AS (SELECT attempt_id, sum(peak) AS peak FROM (SELECT r.attempt_id, "
          "max(m.host_peak) AS peak FROM rank r JOIN memory m ON m.rank_id = r.id GROUP BY r.id) GROUP BY attempt_id) "
          "SELECT g.work, g.problem, g.ranks, g.plan, min(g.plan) OVER k <> max(g.plan) OVER k, g.engine, g.offload, "
          "s.value, t.total_ns, t.spike_ns, t.switch_step, t.steps, w.device_peak, h.peak, a.latents_digest, "
          "a.nonfinite_values FROM current_attempt a JOIN run_settings g ON g.run_id = a.run_id JOIN attempt_time t ON "
          "t.attempt_id = a.id LEFT JOIN attempt_waits w ON w.attempt_id = a.id LEFT JOIN host h ON h.attempt_id = "
          "a.id "
          "LEFT JOIN setting s ON s.run_id = a.run_id AND s.name = 'offload' LEFT JOIN official o ON o.run_id = "
          "a.run_id "
          "WHERE g.sweep = {} WINDOW k AS (PARTITION BY g.problem, g.ranks) "
          "ORDER BY coalesce(o.yes, 0) DESC, g.problem, g.ranks, g.plan, g.work, g.offload, g.repeat",
          sql_text(sweep)));
  std::vector<CaseFacts> cases;
  std::vector<std::string> works;  // the `work` of each case
  for (const auto& row : runs.rows) {
    const std::string work = text_of(row[0]);
    if (works.empty() || works.back() != work) {
      works.push_back(work);
      cases.push_back(
          {case_name(integer_of(row[2]), text_of(row[3]), integer_of(row[4]).value_or(0) != 0, text_of(row[1])),
           text_of(row[5]),
           integer_of(row[10]),
           integer_of(row[11]).value_or(0),
           {}});
    }
    const std::string name = names.name_of(text_of(row[6]));
    WayFacts fresh;
    fresh.name = name;
    fresh.mode = value_named<OffloadMode>(text_of(row[7]));
    fresh.latents = LatentsState::finite;
    WayFacts& way = find_or_add(
        cases.back().ways, [&](const WayFacts& one) { return one.name == name; }, std::move(fresh));
    way.totals.push_back(number_of(row[8]).value_or(0) / 1e9);
    if (const auto spike = number_of(row[9])) way.spikes.push_back(*spike / 1e9);
    keep_highest(way.device_peak, row[12]);
    keep_highest(way.host_peak, row[13]);
    const std::string digest = text_of(row[14]);
    if (!digest.empty() && std::find(way.digests.begin(), way.digests.end(), digest) == way.digests.end()) {
      way.digests.push_back(digest);
    }
    way.latents = together(way.latents, state_of(row[15]));
  }
  return cases;
}

std::vector<DriftFacts> read_drifts(Store& store, const std::string& sweep) {
  const Table rows = run_query(
      store,
      fmt::format("SELECT setting, used, catalog, origin, count(*), min(expected_switch), min(catalog_switch) FROM "
                  "configuration_drift WHERE sweep = {} AND used IS NOT NULL GROUP BY setting, used, catalog, origin "
                  "ORDER BY count(*) "
                  "DESC, setting",
                  sql_text(sweep)));
  std::vector<DriftFacts> drifts;
  for (const auto& row : rows.rows) {
    drifts.push_back({text_of(row[0]), text_of(row[1]), text_of(row[2]), text_of(row[3]),
                      integer_of(row[4]).value_or(0), integer_of(row[5]), integer_of(row[6])});
  }
  return drifts;
}

std::vector<UntoldFacts> read_untold(Store& store, const std::string& sweep) {
  const Table rows = run_query(
      store,
      fmt::format("SELECT settings, count(*), min(run) FROM (SELECT run, group_concat(setting, ', ') AS settings FROM "
                  "(SELECT run, setting FROM configuration_drift WHERE sweep = {} AND used IS NULL ORDER BY run, "
                  "setting) GROUP BY run) GROUP BY settings ORDER BY count(*) DESC, settings",
                  sql_text(sweep)));
  std::vector<UntoldFacts> untold;
  for (const auto& row : rows.rows) {
    untold.push_back({text_of(row[0]), integer_of(row[1]).value_or(0), text_of(row[2])});
  }
  return untold;
}

std::vector<UnfinishedFacts> read_unfinished(Store& store, const std::string& sweep) {
  const Table rows = run_query(
      store, fmt::format("SELECT state, count(*), min(run), max(problem) FROM runs WHERE sweep = {} AND state <> "
                         "'complete' GROUP BY state ORDER BY count(*) DESC, state",
                         sql_text(sweep)));
  std::vector<UnfinishedFacts> unfinished;
  for (const auto& row : rows.rows) {
    unfinished.push_back({text_of(row[0]), integer_of(row[1]).value_or(0), text_of(row[2]), text_of(row[3])});
  }
  return unfinished;
}

int64_t count(Store& store, const std::string& from) {
  return integer_of(run_query(store, "SELECT count(*) FROM " + from).rows.at(0).at(0)).value_or(0);
}

}  // namespace

VerdictFacts read_verdict_facts(Store& store, const std::string& sweep, const WayNames& names) {
  const std::string of_sweep =
      fmt::format("run r JOIN sweep p ON p.id = r.sweep_id WHERE p.name = {}", sql_text(sweep));
  VerdictFacts facts;
  facts.cases = read_cases(store, sweep, names);
  facts.shared_settings = names.shared;
  facts.runs = count(store, of_sweep + " AND r.superseded_by IS NULL");
  facts.replaced = count(store, of_sweep + " AND r.superseded_by IS NOT NULL");
  const std::string without_drift =
      of_sweep + fmt::format(
                     " AND r.superseded_by IS NULL AND r.name NOT IN (SELECT run FROM configuration_drift WHERE "
                     "sweep = {}) AND EXISTS (SELECT 1 FROM setting s WHERE s.run_id = r.id)",
                     sql_text(sweep));
  const std::string in_catalog =
      "EXISTS (SELECT 1 FROM setting s WHERE s.run_id = r.id AND s.catalog_value IS NOT NULL)";
  facts.official = count(store, without_drift + " AND " + in_catalog);
  facts.uncatalogued = count(store, without_drift + " AND NOT " + in_catalog);
  facts.drifts = read_drifts(store, sweep);
  facts.untold = read_untold(store, sweep);
  facts.unfinished = read_unfinished(store, sweep);
  return facts;
}

}  // namespace wansweep
