// Each line is looked at by itself, except those after "Sampling params:", which are one value each. Arguments are read
// to one JSON object, whichever way SGLang printed them; settings follow from that object.

#include "orchestrator/imports/engine_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "base/enum_names.h"
#include "base/error.h"
#include "base/files.h"
#include "orchestrator/engines/sglang_versions.h"
#include "schema/setting_values.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

constexpr int64_t most_log_bytes = int64_t{64} << 20;  // the largest log that is read
constexpr size_t most_line = 4096;                     // characters of a line of time or of a value that are read
constexpr std::string_view arguments_mark = "server_args: ";
constexpr std::string_view request_mark = "Sampling params:";

// SGLang's arguments that are read.
constexpr std::array argument_names{"model_path",
                                    "num_gpus",
                                    "ulysses_degree",
                                    "ring_degree",
                                    "enable_cfg_parallel",
                                    "pin_cpu_memory",
                                    "use_fsdp_inference",
                                    "component_residency",
                                    "cpu_offload_components",
                                    "layerwise_offload_components",
                                    "dit_cpu_offload",
                                    "dit_layerwise_offload",
                                    "dit_offload_prefetch_size",
                                    "layerwise_prefetch_size"};

// Settings as they are told, by our names. What is told twice, and differently, is not told.
class ToldSettings {
 public:
  void tell(const std::string& name, const std::string& value) {
    if (contradicted_.contains(name)) return;
    const auto [found, is_new] = values_.emplace(name, value);
    if (is_new || found->second == value) return;
    values_.erase(found);
    contradicted_.insert(name);
  }
  std::map<std::string, std::string> values() const { return values_; }
  std::string contradicted() const { return fmt::format("{}", fmt::join(contradicted_, ", ")); }

 private:
  std::map<std::string, std::string> values_;
  std::set<std::string> contradicted_;
};

// A value as Python prints it, as JSON: None, True, 'text' and {'key': 'text'}; discarded when it is something else.
Json from_python(std::string text) {
  if (text == "None") return nullptr;
  if (text == "True" || text == "False") return text == "True";
  std::ranges::replace(text, '\'', '"');
  return Json::parse(text, nullptr, false);
}

// The value of one argument in "ServerArgs(model_path='./wan', num_gpus=4, ...)"; discarded when there is none.
Json python_argument(const std::string& text, const std::string& name) {
  size_t at = text.find(fmt::format("({}=", name));
  if (at == text.npos) at = text.find(fmt::format(" {}=", name));
  if (at == text.npos) return Json(Json::value_t::discarded);
  at += name.size() + 2;
  // A text, a dict or a list ends with its own sign, and anything else where the argument does.
  static const std::map<char, char> closing{{'\'', '\''}, {'{', '}'}, {'[', ']'}};
  const auto closed = closing.find(text[at]);
  const size_t end = closed == closing.end() ? text.find_first_of(",)", at) : text.find(closed->second, at + 1);
  if (end == text.npos) return Json(Json::value_t::discarded);
  return from_python(text.substr(at, end - at + (closed == closing.end() ? 0 : 1)));
}

// The arguments in the rest of a line; null when it holds none.
Json arguments_in(const std::string& text) {
  if (text.starts_with('{')) {
    const Json arguments = Json::parse(text.substr(0, text.rfind('}') + 1), nullptr, false);
    return arguments.is_object() ? arguments : Json();
  }
  if (!text.starts_with("ServerArgs(")) return {};
  Json arguments = Json::object();
  for (const char* name : argument_names) {
    if (const Json value = python_argument(text, name); !value.is_discarded()) arguments.emplace(name, value);
  }
  return arguments;
}

template <typename T>
std::optional<T> argument(const Json& arguments, const char* name) {
  const auto found = arguments.find(name);
  if (found == arguments.end()) return std::nullopt;
  if constexpr (std::is_same_v<T, bool>) {
    if (!found->is_boolean()) return std::nullopt;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return std::nullopt;
  } else {
    if (!found->is_number()) return std::nullopt;
  }
  return found->get<T>();
}

bool given(const Json& arguments, const char* name) {
  const auto found = arguments.find(name);
  return found != arguments.end() && !found->is_null() && !found->empty();
}

std::optional<OffloadMode> mode_of_residency(const std::string& residency) {
  for (const OffloadMode mode : values_of<OffloadMode>()) {
    if (residency_of(mode) == residency && !residency.empty()) return mode;
  }
  return std::nullopt;
}

// How the experts' weights reached the device; nullopt where the arguments leave it to SGLang. From 0.5.18 on there is
// component_residency, and with neither that nor a switch set, SGLang decides after it has printed the line.
std::optional<OffloadMode> offload_in(const Json& arguments) {
  const bool sharded = argument<bool>(arguments, "use_fsdp_inference").value_or(false);
  if (sharded || given(arguments, "cpu_offload_components") || given(arguments, "layerwise_offload_components")) {
    return std::nullopt;
  }
  if (given(arguments, "component_residency")) {
    const Json& residency = arguments["component_residency"];
    const auto experts = residency.is_object() ? argument<std::string>(residency, "dit") : std::nullopt;
    return experts ? mode_of_residency(*experts) : std::nullopt;
  }
  if (argument<bool>(arguments, "dit_layerwise_offload").value_or(false)) return OffloadMode::layerwise;
  const std::optional<bool> swaps = argument<bool>(arguments, "dit_cpu_offload");
  if (swaps.value_or(false)) return OffloadMode::swap;
  const bool leaves_open = !swaps || arguments.contains("component_residency");
  return leaves_open ? std::nullopt : std::optional(OffloadMode::resident);
}

void take_arguments(const Json& arguments, ToldSettings& told) {
  if (const auto path = argument<std::string>(arguments, "model_path")) told.tell("model", *path);
  for (const auto& [theirs, ours] :
       {std::pair{"num_gpus", "ranks"}, {"ulysses_degree", "ulysses"}, {"ring_degree", "ring"}}) {
    if (const auto count = argument<int64_t>(arguments, theirs)) told.tell(ours, std::to_string(*count));
  }
  if (const auto split = argument<bool>(arguments, "enable_cfg_parallel")) {
    told.tell("cfg_parallel", *split ? "true" : "false");
  }
  if (const auto pinned = argument<bool>(arguments, "pin_cpu_memory")) {
    told.tell("host_memory", std::string(name_of(*pinned ? HostMemory::pinned : HostMemory::pageable)));
  }
  const std::optional<OffloadMode> offload = offload_in(arguments);
  if (!offload) return;
  told.tell("offload", std::string(name_of(*offload)));
  const auto prefetch = argument<double>(arguments, "dit_offload_prefetch_size");
  if (*offload == OffloadMode::layerwise && prefetch && !given(arguments, "layerwise_prefetch_size")) {
    told.tell("prefetch", fmt::format("{}", *prefetch));
  }
}

bool is_number(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The values of one request, by SGLang's names.
void take_request(const std::map<std::string, std::string>& values, ToldSettings& told) {
  static const std::map<std::string, std::string> names{{"num_frames", "frames"},
                                                        {"seed", "seed"},
                                                        {"infer_steps", "steps"},
                                                        {"guidance_scale", "guidance_scale"},
                                                        {"flow_shift", "flow_shift"}};
  for (const auto& [theirs, ours] : names) {
    const auto found = values.find(theirs);
    if (found != values.end() && is_number(found->second)) told.tell(ours, found->second);
  }
  const auto width = values.find("width"), height = values.find("height");
  const auto is_size = [&](const auto& found) {
    return found != values.end() && is_number(found->second) && !found->second.starts_with('-');
  };
  if (is_size(width) && is_size(height)) told.tell("size", fmt::format("{}x{}", width->second, height->second));
}

// Reads the lines after "Sampling params:": "   infer_steps: 27". Prompts may have more lines; nothing is taken of
// them.
std::map<std::string, std::string> request_in(std::istream& lines) {
  static const std::regex value(R"(^ +([a-z_]+): (.*?)\s*$)");
  constexpr int most_lines = 64;
  std::map<std::string, std::string> values;
  std::string line;
  for (int i = 0; i < most_lines && std::getline(lines, line); ++i) {
    if (line.size() > most_line) line.resize(most_line);
    std::smatch match;
    if (!std::regex_match(line, match, value)) continue;
    values.emplace(match[1], match[2]);
    if (match[1] == "output_file_path") break;  // the last one
  }
  return values;
}

}  // namespace

EngineTrace read_engine_log(const std::string& file) {
  EngineTrace trace;
  trace.file = file;
  trace.kind = EngineFileKind::engine_log;
  // "[DenoisingStage] average time per step: 3.4553 seconds", "[DenoisingStage] finished in 94.2283 seconds"
  static const std::regex average(R"(average time per step: ([0-9]+\.?[0-9]*) seconds)");
  static const std::regex stage(R"(\[([A-Za-z0-9_]+)\] finished in ([0-9]+\.?[0-9]*) seconds)");
  static const std::regex boundary(R"(Setting boundary ratio to ([0-9]+\.?[0-9]*))");
  ToldSettings told;
  std::istringstream lines(read_text(file, most_log_bytes));
  for (std::string line; std::getline(lines, line);) {
    if (const size_t at = line.find(arguments_mark); at != line.npos) {
      take_arguments(arguments_in(line.substr(at + arguments_mark.size())), told);
      continue;
    }
    if (line.size() > most_line) line.resize(most_line);
    std::smatch match;
    if (std::regex_search(line, match, average)) trace.environment["log.average_step_s"] = match[1];
    if (std::regex_search(line, match, stage)) trace.environment["log.stage_s." + match[1].str()] = match[2];
    if (std::regex_search(line, match, boundary)) told.tell("boundary_ratio", match[1]);
    if (line.find(request_mark) != line.npos) take_request(request_in(lines), told);
  }
  trace.settings = told.values();
  if (trace.environment.empty() && trace.settings.empty()) {
    throw bad_input(
        fmt::format("{}: holds no line of SGLang about the time of a stage or a step, or about its settings", file));
  }
  if (const auto ranks = trace.settings.extract("ranks"); !ranks.empty()) trace.ranks = std::stoi(ranks.mapped());
  if (const std::string names = told.contradicted(); !names.empty()) {
    trace.notes.push_back(fmt::format("{}: tells different values of {}, which are therefore not taken", file, names));
  }
  return trace;
}

}  // namespace wansweep
