#include "orchestrator/choose/ways.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/error.h"
#include "orchestrator/predict/fit.h"
#include "schema/model_catalog.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

// The settings that the question and the ways decide, and that --set therefore cannot.
constexpr std::array<std::string_view, 13> decided_settings{
    "model",       "model_id",      "size",         "frames",         "backend",
    "ranks",       "offload",       "host_store",   "guidance_order", "yield_to_collectives",
    "host_memory", "device_memory", "device_budget"};
constexpr double beside_weights_gib = 2;  // GiB of a GPU that libraries take, which no plan counts

// Turns a value from the command line into TOML: numbers and booleans stay as they are, all else becomes a string.
std::string toml_value(const std::string& value) {
  const nlohmann::json parsed = nlohmann::json::parse(value, nullptr, false);
  if (parsed.is_number() || parsed.is_boolean()) return parsed.dump();
  return nlohmann::json(value).dump();
}

std::string set_line(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw bad_input(fmt::format("--set is {}; NAME=VALUE is needed, such as steps=9", assignment));
  }
  const std::string_view name = std::string_view(assignment).substr(0, equals);
  if (std::find(decided_settings.begin(), decided_settings.end(), name) != decided_settings.end()) {
    throw bad_input(
        fmt::format("--set is {}; the question or each way decides {}, so that --set cannot", assignment, name));
  }
  return fmt::format("{} = {}\n", assignment.substr(0, equals), toml_value(assignment.substr(equals + 1)));
}

bool sets(const Question& question, std::string_view name) {
  return std::ranges::any_of(question.set, [&](const std::string& assignment) {
    return assignment.starts_with(name) && assignment.substr(name.size()).starts_with('=');
  });
}

bool is_catalog_id(const std::string& model) {
  for (const CatalogEntry& entry : catalog()) {
    if (entry.id == model) return true;
  }
  return false;
}

void check_model(const std::string& model) {
  std::error_code unreadable;
  if (is_catalog_id(model) || std::filesystem::exists(model, unreadable)) return;
  std::vector<std::string> ids;
  for (const CatalogEntry& entry : catalog()) ids.push_back(entry.id);
  throw bad_input(fmt::format("MODEL is {}: there is no such directory, and the catalog has no such id; it has {}",
                              model, fmt::join(ids, ", ")));
}

// "choose:8: base: size is 720p" as "size is 720p".
std::string without_place(const std::string& problem) {
  static const std::regex place("^choose:[0-9]+: (base|include)(: |\\.)");
  return std::regex_replace(problem, place, "");
}

}  // namespace

std::vector<OffloadWay> ways_of(const Question& question, const Machine& machine) {
  const std::string shared = "host_store = \"shared\"\n", block = "guidance_order = \"block\"\n";
  const std::string yields = "yield_to_collectives = \"on\"\n", pageable = "host_memory = \"pageable\"\n";
  const auto offload = [](const char* mode) { return fmt::format("offload = \"{}\"\n", mode); };
  const std::optional<double> device =
      question.device_memory_gib ? question.device_memory_gib : limits_of(machine).device;
  std::vector<OffloadWay> ways;
  for (const int64_t ranks : question.ranks) {
    const auto add = [&](const std::string& name, const std::string& settings) {
      ways.push_back({name, settings, ranks});
    };
    add("resident", offload("resident"));
    add("swap", offload("swap"));
    if (machine.backend == BackendKind::cuda) add("swap, pageable", offload("swap") + pageable);
    add("layerwise", offload("layerwise"));
    add("snapshot, shared", offload("snapshot") + shared);
    add("layerwise, block order, shared", offload("layerwise") + block + shared);
    const bool one_wire = machine.links.exchanges_take == Wire::copies && ranks > 1;
    if (one_wire) add("layerwise, block order, shared, yields", offload("layerwise") + block + shared + yields);
    if (!device) continue;
    const double beside = machine.backend == BackendKind::cuda ? beside_weights_gib : 0;
    const std::string room = fmt::format("device_memory = {:.1f}\n", std::max(1.0, *device - beside));
    add("planned, block order, shared", offload("planned") + room + block + shared);
    if (one_wire) add("planned, block order, shared, yields", offload("planned") + room + block + shared + yields);
  }
  return ways;
}

std::string sweep_of(const Question& question, const Machine& machine, const std::vector<OffloadWay>& ways,
                     const std::string& name, int repeats) {
  const auto text = [](const std::string& value) { return nlohmann::json(value).dump(); };
  std::string toml = fmt::format("[sweep]\nname = {}\nrepeats = {}\n\n[base]\n", text(name), repeats);
  if (is_catalog_id(question.model)) {
    toml += fmt::format("model_id = {}\nweights = \"random:1\"\n", text(question.model));
  } else {
    toml += fmt::format("model = {}\n", text(question.model));
  }
  toml += fmt::format("size = {}\nframes = {}\nbackend = \"{}\"\n", text(question.size), question.frames,
                      name_of(machine.backend));
  // The runs use the emulated link that the machine was probed with, since its numbers hold for that link.
  if (machine.links.emulated && machine.links.link_bandwidth > 0) {
    if (!sets(question, "link_bandwidth")) toml += fmt::format("link_bandwidth = {}\n", machine.links.link_bandwidth);
    if (!sets(question, "link")) toml += fmt::format("link = \"{}\"\n", name_of(machine.links.link));
  }
  for (const std::string& assignment : question.set) toml += set_line(assignment);
  for (const OffloadWay& way : ways) {
    toml += fmt::format("\n[[include]] # {}\nranks = {}\n{}", way.name, way.ranks, way.settings);
  }
  return toml;
}

Plan plan_of(const Question& question, const Machine& machine, const std::vector<OffloadWay>& ways) {
  check_model(question.model);
  try {
    Plan plan = make_plan(parse_sweep(sweep_of(question, machine, ways, "choose", 1), "choose"));
    for (PlannedConfiguration& c : plan.configurations) c.problem = without_place(c.problem);
    return plan;
  } catch (const Error& error) {
    throw Error(error.code(), without_place(error.what()));
  }
}

}  // namespace wansweep
