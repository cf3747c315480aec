#include "orchestrator/predict/prediction_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text_table.h"
#include "orchestrator/predict/fit.h"
#include "orchestrator/predict/number_text.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

// The shares, of all variance in the intervals of the totals, that each of the machine's numbers contributes; the
// largest first.
std::vector<std::pair<double, const Measured*>> shares_of_intervals(const std::vector<Prediction>& predictions) {
  std::map<const Measured*, double> shares;
  for (const Prediction& prediction : predictions) {
    const double total = prediction.of(Quantity::total).value;
    double all = 0;
    const auto variance = [total](const Influence& i) { return std::pow((i.at_high - i.at_low) / total, 2); };
    for (const Influence& each : prediction.influences) all += variance(each);
    if (!(all > 0)) continue;
    for (const Influence& each : prediction.influences) {
      shares[each.of] += variance(each) / all / static_cast<double>(predictions.size());
    }
  }
  std::vector<std::pair<double, const Measured*>> sorted;
  for (const auto& [of, share] : shares) sorted.emplace_back(share, of);
  std::ranges::sort(sorted, std::greater());
  return sorted;
}

std::string origin_lines(const Machine& machine, const std::vector<Prediction>& predictions) {
  constexpr size_t most = 5;
  constexpr double least = 0.03;
  std::string text;
  for (const auto& [share, of] : shares_of_intervals(predictions)) {
    if (share < least || std::ranges::count(text, '\n') >= static_cast<std::ptrdiff_t>(most)) break;
    text += fmt::format("  {:2.0f} % comes from {}; {}\n", 100 * share, number_text(machine, *of), of->origin);
  }
  return text.empty() ? "" : "\nwhere the intervals come from, in the mean of the runs:\n" + text;
}

// Told by a configuration's name and by its parallel plan.
constexpr std::array<std::string_view, 7> told_elsewhere{"ranks",   "ulysses",    "ring",  "cfg_parallel",
                                                         "offload", "flow_shift", "engine"};

// Of each configuration, the settings in which it differs from others, beyond those that are told elsewhere, unless it
// has the default: "frames 81, host_memory pageable".
std::vector<std::string> varying_settings(const Plan& plan) {
  std::vector<std::vector<std::string>> told(plan.configurations.size());
  for (const Field& field : fields()) {
    if (std::ranges::find(told_elsewhere, field.name) != told_elsewhere.end()) continue;
    std::set<std::string> values;
    for (const PlannedConfiguration& c : plan.configurations) values.insert(get_field(c.spec, field).dump());
    if (values.size() < 2) continue;
    for (size_t i = 0; i < told.size(); ++i) {
      const nlohmann::json value = get_field(plan.configurations[i].spec, field);
      if (value == default_of(field)) continue;
      told[i].push_back(fmt::format("{} {}", field.name, value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
  std::vector<std::string> settings;
  for (const std::vector<std::string>& each : told) settings.push_back(fmt::format("{}", fmt::join(each, ", ")));
  return settings;
}

}  // namespace

std::string estimate_text(const Estimate& e) {
  // Without "-0": what rounds to zero is zero.
  const auto text = [](double value, int digits) {
    const double scale = std::pow(10, digits);
    return fmt::format("{:.{}f}", std::round(value * scale) == 0 ? 0.0 : value, digits);
  };
  const double width = std::max(e.high - e.low, 1e-4 * std::abs(e.value));
  const int decimals = width > 0 ? std::clamp(static_cast<int>(std::ceil(1 - std::log10(width))), 0, 4) : 3;
  if (e.low == e.high) return text(e.value, std::min(decimals, 3));
  return fmt::format("{} ({} to {})", text(e.value, decimals), text(e.low, decimals), text(e.high, decimals));
}

std::string predictions_as_text(const MachineFile& file, const Plan& plan, const std::vector<Prediction>& predictions) {
  TextTable table({{"configuration"},
                   {"settings that vary"},
                   {"plan"},
                   {"total s", Align::right},
                   {"median step s", Align::right},
                   {"spike s", Align::right},
                   {"exposed transfer s", Align::right},
                   {"first load s", Align::right},
                   {"device/rank", Align::right},
                   {"host/node", Align::right}});
  std::string lines = problems_as_text(plan);
  const std::vector<std::string> varying = varying_settings(plan);
  const MemoryLimits limits = limits_of(file.machine);
  for (size_t i = 0; i < predictions.size(); ++i) {
    const PlannedConfiguration& c = plan.configurations[i];
    const Prediction& p = predictions[i];
    if (!c.run) continue;
    std::vector<std::string> row{c.name, varying[i].empty() ? "-" : varying[i], c.run->parallel.name()};
    for (const Quantity quantity : values_of<Quantity>()) {
      row.push_back(p.unknown.empty() ? estimate_text(p.of(quantity)) : "-");
    }
    row.push_back(human_bytes(static_cast<double>(p.device_bytes)));
    row.push_back(human_bytes(static_cast<double>(p.host_bytes)));
    table.add_row(row);
    if (!p.unknown.empty()) lines += fmt::format("unknown  {}: {}\n", c.name, p.unknown);
    const std::string lacks = what_does_not_fit(p, limits);
    if (!lacks.empty()) lines += fmt::format("no room  {}: {}\n", c.name, lacks);
  }
  const Machine& machine = file.machine;
  std::string text = table.to_string();
  text += fmt::format("\nPredicted, not measured, for machine {} ({}, {}, {}), from {}. In brackets: 10 % to 90 %.\n",
                      machine.name, machine.card, name_of(machine.source), machine.measured_at, file.file);
  if (!lines.empty()) text += "\n" + lines;
  return text + origin_lines(machine, predictions);
}

}  // namespace wansweep
