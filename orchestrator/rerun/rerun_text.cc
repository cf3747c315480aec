// Shows a rerun before it is made.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "orchestrator/rerun/rerun.h"
#include "schema/flow_schedule.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

std::string shown(const RunSettings& spec, const Field& field) {
  const nlohmann::json value = get_field(spec, field);
  const auto origin = spec.origins.find(std::string(field.name));
  const std::string text = value.is_null()           ? "none"
                           : value.is_string()       ? value.get<std::string>()
                           : value.is_number_float() ? fmt::format("{}", value.get<double>())
                                                     : value.dump();
  return origin == spec.origins.end() ? text : fmt::format("{} ({})", text, origin->second.origin);
}

std::string switch_of(const RunSettings& spec) {
  if (!spec.boundary_ratio || !spec.steps || !spec.flow_shift) return "none";
  const auto step = switch_step(
      make_flow_schedule(spec.sigma_schedule, static_cast<int>(*spec.steps), *spec.flow_shift), *spec.boundary_ratio);
  return step ? fmt::format("{} of {}", *step, *spec.steps) : "none";
}

}  // namespace

std::string rerun_as_text(const Rerun& rerun) {
  TextTable table({{"configuration"}, {"runs", Align::right}, {"setting"}, {"before"}, {"after"}});
  size_t runs = 0;
  for (const CorrectedConfiguration& c : rerun.configurations) {
    const RunSettings& after = rerun.plan.configurations[c.after].spec;
    std::string name = c.name;
    std::string count = fmt::format("{}", c.runs);
    const auto add = [&](std::string_view setting, const std::string& old_value, const std::string& new_value) {
      table.add_row({name, count, std::string(setting), old_value, new_value});
      name.clear();
      count.clear();
    };
    for (const Field& field : fields()) {
      if (get_field(c.before, field) != get_field(after, field)) {
        add(field.name, shown(c.before, field), shown(after, field));
      }
    }
    add("switch step", switch_of(c.before), switch_of(after));
    runs += c.runs;
  }
  std::string text = table.to_string();
  text += fmt::format("\n{} -> {} ({}): {} runs are superseded by {}\n", rerun.lineage.of, rerun.lineage.sweep,
                      rerun.lineage.directory, runs, rerun.plan.runs());
  if (rerun.unchanged > 0)
    text += fmt::format("{} runs have these settings already and are not rerun\n", rerun.unchanged);
  if (rerun.superseded > 0) text += fmt::format("{} runs are superseded already and are not rerun\n", rerun.superseded);
  bool by_resolver = false;
  for (const PlannedConfiguration& c : rerun.plan.configurations) {
    for (const std::string& line : c.drift) text += fmt::format("still differs  {}: {}\n", c.name, line);
    by_resolver = by_resolver || (!c.drift.empty() && c.spec.resolver != ResolverKind::files);
  }
  if (by_resolver) text += "--set resolver=catalog would reset all settings that the resolver decided\n";
  return text;
}

}  // namespace wansweep
