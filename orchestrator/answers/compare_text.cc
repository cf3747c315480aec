// Prints a comparison: first the result in a sentence, then the table.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/printable.h"
#include "base/text_table.h"
#include "orchestrator/answers/compare.h"

namespace wansweep {
namespace {

constexpr size_t named_at_most = 3;

// Four digits are enough: measured times are not more exact.
double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::fabs(value))));
  return std::round(value * scale) / scale;
}

Cell cell(const std::optional<double>& value) { return value ? Cell(rounded(*value)) : Cell(); }

std::optional<double> change_of(const MetricChange& metric) {
  return metric.before && metric.after ? std::optional(*metric.after - *metric.before) : std::nullopt;
}

// A relative change makes no sense for a metric that is itself a share, or for a step's number.
std::optional<double> percent_of(const MetricChange& metric) {
  const bool has_share = metric.unit == "s" || metric.unit == "MiB";
  const std::optional<double> change = change_of(metric);
  if (!has_share || !change || *metric.before == 0) return std::nullopt;
  return 100 * *change / std::fabs(*metric.before);
}

std::string verdict_of(const MetricChange& metric) {
  if (!metric.before || !metric.after) return "only on one side";
  if (!metric.interval) {
    return fmt::format("too few repeats ({} and {})", metric.runs_before, metric.runs_after);
  }
  if (metric.interval->excludes_zero()) return "changed";
  return "within the spread";
}

using Numbers = std::vector<std::optional<double>>;

// Those that the unit has, and as many more as the least of the numbers takes to show two digits.
int decimals_of(const Numbers& numbers, const std::string& unit) {
  constexpr int most = 9;  // nanoseconds
  int decimals = unit == "s" ? 3 : 1;
  for (const std::optional<double>& number : numbers) {
    if (!number || *number == 0) continue;
    decimals = std::max(decimals, 1 - static_cast<int>(std::floor(std::log10(std::fabs(*number)))));
  }
  return std::min(decimals, most);
}

std::string number_text(const std::optional<double>& value, const std::string& unit, int decimals) {
  if (!value) return "-";
  if (unit.empty()) return fmt::format("{:g}", *value);
  const bool rounds_to_zero = std::round(*value * std::pow(10, decimals)) == 0;
  return fmt::format("{:.{}f}", rounds_to_zero ? 0.0 : *value, decimals);
}

std::string switch_sentence(const Comparison& comparison) {
  std::set<std::pair<double, double>> moves;
  for (const ConfigurationChange& configuration : comparison.configurations) {
    for (const MetricChange& metric : configuration.metrics) {
      if (metric.metric == "switch step" && metric.before && metric.after) {
        moves.emplace(*metric.before, *metric.after);
      }
    }
  }
  if (moves.empty()) return "no switch of the experts is known in both";
  std::vector<std::string> texts;
  texts.reserve(moves.size());
  for (const auto& [from, to] : moves) {
    texts.push_back(from == to ? fmt::format("stays at step {:g}", from)
                               : fmt::format("moves from step {:g} to {:g}", from, to));
  }
  return fmt::format("the switch {}", fmt::join(texts, " or "));
}

// "the total changes beyond the repeats' spread in 1 of 2 configurations (offload=swap +3.1 %)"
std::string metric_sentence(const Comparison& comparison, const char* name, const char* in_words) {
  size_t judged = 0;
  size_t unjudged = 0;
  std::vector<std::string> changed;
  for (const ConfigurationChange& configuration : comparison.configurations) {
    for (const MetricChange& metric : configuration.metrics) {
      if (metric.metric != name) continue;
      ++(metric.interval ? judged : unjudged);
      if (!metric.interval || !metric.interval->excludes_zero()) continue;
      const std::optional<double> percent = percent_of(metric);
      changed.push_back(percent ? fmt::format("{} {:+.1f} %", configuration.name, *percent)
                                : fmt::format("{} {:.1f} -> {:.1f} {}", configuration.name, *metric.before,
                                              *metric.after, metric.unit));
    }
  }
  if (judged + unjudged == 0) return "";
  if (judged == 0) return fmt::format("; the {} is undecided, with fewer than three repeats on a side", in_words);
  std::string text = fmt::format("; the {} changes beyond the repeats' spread in {} of {} configurations", in_words,
                                 changed.size(), judged);
  const bool more = changed.size() > named_at_most;
  changed.resize(std::min(changed.size(), named_at_most));
  if (!changed.empty()) text += fmt::format(" ({}{})", fmt::join(changed, ", "), more ? ", ..." : "");
  if (unjudged > 0) text += fmt::format(", {} more have too few repeats", unjudged);
  return text;
}

}  // namespace

std::string sentence_of(const Comparison& comparison) {
  std::string text = fmt::format("{} -> {}", comparison.before, comparison.after);
  if (!comparison.changed.empty()) text += fmt::format(" ({})", fmt::join(comparison.changed, ", "));
  text += fmt::format(": {}", switch_sentence(comparison));
  text += metric_sentence(comparison, "total", "total time");
  text += metric_sentence(comparison, "overhead", "overhead over resident");
  if (comparison.only_before + comparison.only_after > 0) {
    text += fmt::format("; {} and {} configurations have no partner", comparison.only_before, comparison.only_after);
  }
  return printable(text) + ".\n";
}

Table table_of(const Comparison& comparison) {
  Table table;
  table.columns = {"configuration", "metric",   "unit",    "runs",     "before", "after",
                   "change",        "change %", "95% low", "95% high", "verdict"};
  for (const ConfigurationChange& configuration : comparison.configurations) {
    for (const MetricChange& metric : configuration.metrics) {
      std::optional<double> low, high;
      if (metric.interval) {
        low = metric.interval->low;
        high = metric.interval->high;
      }
      table.rows.push_back({configuration.name, metric.metric, metric.unit,
                            fmt::format("{}/{}", metric.runs_before, metric.runs_after), cell(metric.before),
                            cell(metric.after), cell(change_of(metric)), cell(percent_of(metric)), cell(low),
                            cell(high), verdict_of(metric)});
    }
  }
  return table;
}

std::string text_of(const Comparison& comparison) {
  TextTable table({{"configuration"},
                   {"metric"},
                   {"unit"},
                   {"runs"},
                   {"before", Align::right},
                   {"after", Align::right},
                   {"change", Align::right},
                   {"%", Align::right},
                   {"95 % interval", Align::right},
                   {"verdict"}});
  for (const ConfigurationChange& configuration : comparison.configurations) {
    std::string name = printable(configuration.name);
    for (const MetricChange& metric : configuration.metrics) {
      const std::optional<double> change = change_of(metric);
      Numbers differences{change};
      if (metric.interval) differences.insert(differences.end(), {metric.interval->low, metric.interval->high});
      const int of_side = decimals_of({change}, metric.unit), of_change = decimals_of(differences, metric.unit);
      const auto side = [&](const std::optional<double>& value) { return number_text(value, metric.unit, of_side); };
      const auto shown = [&](const std::optional<double>& value) { return number_text(value, metric.unit, of_change); };
      const std::string interval =
          metric.interval ? fmt::format("{} to {}", shown(metric.interval->low), shown(metric.interval->high)) : "-";
      table.add_row({name, metric.metric, metric.unit, fmt::format("{}/{}", metric.runs_before, metric.runs_after),
                     side(metric.before), side(metric.after), shown(change), number_text(percent_of(metric), "%", 1),
                     interval, verdict_of(metric)});
      name.clear();
    }
  }
  return table.to_string();
}

}  // namespace wansweep
