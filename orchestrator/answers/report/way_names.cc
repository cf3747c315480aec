#include "orchestrator/answers/report/way_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "orchestrator/answers/report/cells.h"
#include "orchestrator/answers/report/verdict_words.h"
#include "orchestrator/store/query/query.h"

namespace wansweep {
namespace {

// A setting of a way that is not the default.
struct Option {
  std::string words;    // in the way's name
  std::string setting;  // as a sweep's file has it
};

std::string value_of(const WaySettings& way, const std::string& setting) {
  const auto found = way.values.find(setting);
  return found == way.values.end() ? std::string() : found->second;
}

// How much of the device planned may fill: a part of the name that is never left out.
std::string room_of(const WaySettings& way) {
  if (way.mode != OffloadMode::planned) return {};
  const std::string budget = value_of(way, "device_budget"), memory = value_of(way, "device_memory");
  if (!budget.empty() && budget != "auto") return fmt::format(" with {} GiB of blocks", budget);
  if (memory.empty() || memory == "0") return " within the device's memory";
  return fmt::format(" within {} GiB", memory);
}

std::vector<Option> options_of(const WaySettings& way) {
  std::vector<Option> options;
  const auto add = [&](const std::string& setting, const std::string& value, const std::string& words) {
    if (value_of(way, setting) == value) options.push_back({words, setting + ' ' + value});
  };
  const auto add_number = [&](const std::string& setting, const std::string& words) {
    const std::string value = value_of(way, setting);
    if (!value.empty() && value != "0") options.push_back({words + ' ' + value, setting + ' ' + value});
  };
  if (way.mode == OffloadMode::layerwise) add_number("prefetch", "prefetch");
  add("guidance_order", "block", "block order");
  if (way.mode == OffloadMode::resident) return options;
  add("host_memory", "pageable", "pageable");
  add("host_store", "shared", "shared store");
  add("cooperative", "on", "cooperative");
  add("cooperative", "auto", "cooperative auto");
  add("yield_to_collectives", "on", "yielding");
  add("yield_to_collectives", "auto", "yielding auto");
  add_number("chunk_bytes", "chunks of");
  return options;
}

}  // namespace

std::string WayNames::name_of(const std::string& label) const {
  const auto found = by_label.find(label);
  return found == by_label.end() ? label : found->second;
}

WayNames name_ways(const std::map<std::string, WaySettings>& ways) {
  std::map<std::string, size_t> having;  // by setting: how many ways that move weights have it
  std::vector<std::string> in_order;
  size_t moving = 0;
  for (const auto& [label, way] : ways) {
    if (way.mode == OffloadMode::resident) continue;
    ++moving;
    for (const Option& option : options_of(way)) {
      if (having[option.setting]++ == 0) in_order.push_back(option.setting);
    }
  }
  const auto is_shared = [&](const std::string& setting) { return moving > 0 && having[setting] == moving; };
  WayNames names;
  std::map<std::string, size_t> uses;
  for (const auto& [label, way] : ways) {
    std::vector<std::string> words;
    for (const Option& option : options_of(way)) {
      if (way.mode == OffloadMode::resident || !is_shared(option.setting)) words.push_back(option.words);
    }
    std::string name = (way.mode ? std::string(wansweep::name_of(*way.mode)) : label) + room_of(way);
    if (way.mode && !words.empty()) name += fmt::format(" ({})", fmt::join(words, ", "));
    ++uses[name];
    names.by_label[label] = name;
  }
  // Labels that differ by what this version does not know stay as they are.
  for (auto& [label, name] : names.by_label) {
    if (uses[name] > 1) name = label;
  }
  std::vector<std::string> shared;
  std::copy_if(in_order.begin(), in_order.end(), std::back_inserter(shared), is_shared);
  names.shared = list_of(shared);
  return names;
}

std::map<std::string, WaySettings> read_ways(Store& store, const std::string& sweep) {
  const Table rows = run_query(
      store, fmt::format("SELECT DISTINCT g.offload, s.name, s.value FROM run_settings g JOIN setting s ON s.run_id = "
                         "g.run_id AND (s.name = 'offload' OR s.name IN (SELECT name FROM offload_option)) "
                         "WHERE g.sweep = {} AND g.offload IS NOT NULL",
                         sql_text(sweep)));
  std::map<std::string, WaySettings> ways;
  for (const auto& row : rows.rows) {
    const std::string setting = text_of(row[1]), value = text_of(row[2]);
    WaySettings& way = ways[text_of(row[0])];
    if (setting == "offload") way.mode = value_named<OffloadMode>(value);
    way.values.emplace(setting, value);
  }
  return ways;
}

}  // namespace wansweep
