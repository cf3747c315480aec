// The verb first makes one JSON object and prints the text from it, so that --json and the text cannot differ.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "orchestrator/verbs/verbs.h"
#include "schema/flow_schedule.h"
#include "schema/model_catalog.h"
#include "schema/run_settings.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<ResolverKind, 3> sglang_resolvers{ResolverKind::sglang_2025_12, ResolverKind::sglang_2026_03,
                                                       ResolverKind::sglang_2026_09};
constexpr std::array<int, 2> shown_steps{27, 40};
constexpr std::array<int, 2> shown_ranks{4, 6};

struct ResolveArguments {
  std::string path;
  std::string model_id;
  std::string sglang_model_id;  // the value of SGLang's --model-id
  bool json = false;
};

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.is_string() ? printable(value.get_ref<const std::string&>()) : value.dump();
}

std::optional<int> switch_at(SigmaSchedule schedule, int steps, double flow_shift, std::optional<double> boundary) {
  if (!boundary) return std::nullopt;
  return switch_step(make_flow_schedule(schedule, steps, flow_shift), *boundary);
}

Json switch_steps(SigmaSchedule schedule, double flow_shift, std::optional<double> boundary) {
  Json steps = Json::object();
  for (const int count : shown_steps) {
    const std::optional<int> step = switch_at(schedule, count, flow_shift, boundary);
    steps[std::to_string(count)] = step ? Json(*step) : Json(nullptr);
  }
  return steps;
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

// Each setting: the value that is used, and the value of each origin.
Json effective_settings(const RunSettings& spec, const ModelIdentity& model) {
  const CatalogEntry& entry = *model.entry;
  const std::map<std::string, Json> official{{"flow_shift", entry.flow_shift},
                                             {"boundary_ratio", number_or_null(entry.boundary_ratio)},
                                             {"guidance_scale", entry.guidance_scale},
                                             {"guidance_scale_2", number_or_null(entry.guidance_scale_2)},
                                             {"steps", entry.steps},
                                             {"size", fmt::format("{}x{}", entry.width, entry.height)},
                                             {"frames", entry.frames}};
  const std::map<std::string, Json> in_files{{"flow_shift", number_or_null(model.file_flow_shift)},
                                             {"boundary_ratio", number_or_null(model.file_boundary_ratio)}};
  Json settings = Json::array();
  for (const char* name :
       {"flow_shift", "boundary_ratio", "guidance_scale", "guidance_scale_2", "steps", "size", "frames"}) {
    const auto origin = spec.origins.find(name);
    const auto in_file = in_files.find(name);
    settings.push_back({{"setting", name},
                        {"value", Json(get_field(spec, *find_field(name)))},
                        {"origin", origin != spec.origins.end() ? origin->second.origin : ""},
                        {"catalog", official.at(name)},
                        {"file", in_file != in_files.end() ? in_file->second : Json(nullptr)}});
  }
  return settings;
}

// "flow_shift: the model's files say 3, the catalog says 12 (its source); 12 is used"
Json disagreements(const Json& settings, const std::string& source) {
  Json lines = Json::array();
  for (const Json& row : settings) {
    if (row["file"].is_null() || row["file"] == row["catalog"]) continue;
    lines.push_back(fmt::format("{}: the model's files say {}, the catalog says {} ({}); {} is used",
                                row["setting"].get<std::string>(), plain(row["file"]), plain(row["catalog"]), source,
                                plain(row["value"])));
  }
  return lines;
}

// The settings that SGLang would choose differently from the model's files, as lines "flow_shift is 3, not 12".
Json differences(const SglangVerdict& verdict, const RunSettings& right) {
  Json lines = Json::array();
  const auto compare = [&](const char* name, const auto& theirs, const auto& ours) {
    if (theirs != ours) lines.push_back(fmt::format("{} is {}, not {}", name, theirs, ours));
  };
  compare("flow_shift", verdict.flow_shift, right.flow_shift.value_or(0));
  compare("guidance_scale", verdict.guidance_scale, right.guidance_scale.value_or(0));
  if (right.guidance_scale_2) compare("guidance_scale_2", verdict.guidance_scale_2, *right.guidance_scale_2);
  compare("steps", int64_t{verdict.steps}, right.steps.value_or(0));
  compare("size", fmt::format("{}x{}", verdict.width, verdict.height), right.size.value_or(""));
  compare("frames", int64_t{verdict.frames}, right.frames.value_or(0));
  std::map<int, std::vector<int>> rounded;  // ranks, by the rounded number of frames
  for (const int ranks : shown_ranks) {
    if (verdict.shards_frames) rounded[sglang_rounded_frames(verdict.frames, ranks)].push_back(ranks);
  }
  rounded.erase(verdict.frames);
  for (const auto& [frames, ranks] : rounded) {
    lines.push_back(fmt::format("frames are rounded up to {} on {} GPUs, since each GPU takes whole latent frames",
                                frames, fmt::join(ranks, " and ")));
  }
  return lines;
}

// Adds a verdict to `json`.
Json verdict_json(Json json, const SglangVerdict& verdict, const RunSettings& right) {
  json["config"] = verdict.config;
  json["rule"] = verdict.rule;
  if (verdict.config.empty()) return json;
  json["flow_shift"] = verdict.flow_shift;
  json["switch_step"] = switch_steps(SigmaSchedule::sglang, verdict.flow_shift, verdict.boundary_ratio);
  Json frames = Json::object();
  for (const int ranks : shown_ranks) {
    frames[std::to_string(ranks)] =
        verdict.shards_frames ? sglang_rounded_frames(verdict.frames, ranks) : verdict.frames;
  }
  json["frames_on_ranks"] = std::move(frames);
  json["differences"] = differences(verdict, right);
  return json;
}

std::string step_text(const Json& steps) {
  std::string text;
  for (const auto& [count, step] : steps.items()) {
    text += fmt::format("{}{} of {}", text.empty() ? "" : ", ", step.is_null() ? "none" : step.dump(), count);
  }
  return text;
}

std::string frames_text(const Json& frames) {
  std::string text;
  for (const auto& [ranks, count] : frames.items()) {
    text += fmt::format("{}{} on {} GPUs", text.empty() ? "" : ", ", count.dump(), ranks);
  }
  return text;
}

// A table of the releases, since a user knows the version of SGLang.
void print_releases(const Json& releases) {
  TextTable table({{"SGLang"}, {"configuration"}, {"flow_shift", Align::right}, {"switch step"}, {"rule"}});
  for (const Json& each : releases) {
    const bool refused = plain(each["config"]).empty();
    const std::string first = plain(each["first"]), last = plain(each["last"]);
    table.add_row({first == last ? first : fmt::format("{} to {}", first, last),
                   refused ? "refuses the path" : plain(each["config"]), refused ? "-" : plain(each["flow_shift"]),
                   refused ? "-" : step_text(each["switch_step"]), plain(each["rule"])});
  }
  fmt::print("\n{}", table.to_string());
}

void print_text(const Json& json) {
  fmt::print("{}\n  is {} ({})\n  because {}\n\n", plain(json["path"]), plain(json["model_id"]),
             plain(json["hub_name"]), plain(json["rule"]));
  TextTable settings(
      {{"setting"}, {"used", Align::right}, {"from"}, {"catalog", Align::right}, {"model file", Align::right}});
  for (const Json& row : json["settings"]) {
    settings.add_row(
        {plain(row["setting"]), plain(row["value"]), plain(row["origin"]), plain(row["catalog"]), plain(row["file"])});
  }
  fmt::print("{}\nswitch step  {}\n", settings.to_string(), step_text(json["switch_step"]));
  for (const Json& line : json["disagreements"]) fmt::print("disagree     {}\n", plain(line));
  for (const Json& verdict : json["sglang"]) {
    fmt::print("\n{}\n", plain(verdict["resolver"]));
    if (plain(verdict["config"]).empty()) {
      fmt::print("  refuses the path: {}\n", plain(verdict["rule"]));
      continue;
    }
    fmt::print("  uses         {}\n  rule         {}\n  switch step  {}\n  frames       {}\n", plain(verdict["config"]),
               plain(verdict["rule"]), step_text(verdict["switch_step"]), frames_text(verdict["frames_on_ranks"]));
    const char* label = "differs";
    for (const Json& line : verdict["differences"]) {
      fmt::print("  {:<11}  {}\n", label, plain(line));
      label = "";
    }
    if (verdict["differences"].empty()) fmt::print("  differs      in nothing\n");
  }
  print_releases(json["sglang_releases"]);
}

int resolve(const ResolveArguments& options) {
  RunSettings spec;
  spec.model = std::filesystem::absolute(options.path).lexically_normal().string();
  spec.model_id = options.model_id;
  const ModelIdentity identity = resolve_settings(spec);
  Json json{{"path", options.path},
            {"model_id", identity.entry->id},
            {"hub_name", identity.entry->hub_name},
            {"rule", identity.rule},
            {"same_size", identity.same_size},
            {"looked_at", identity.looked_at},
            {"source", identity.entry->source},
            {"settings", effective_settings(spec, identity)},
            {"disagreements", Json::array()},
            {"switch_step", switch_steps(SigmaSchedule::diffusers, spec.flow_shift.value_or(1), spec.boundary_ratio)},
            {"sglang", Json::array()}};
  json["disagreements"] = disagreements(json["settings"], identity.entry->source);
  for (const ResolverKind resolver : sglang_resolvers) {
    json["sglang"].push_back(verdict_json({{"resolver", name_of(resolver)}},
                                          sglang_verdict(resolver, options.path, options.model_id), spec));
  }
  json["sglang_releases"] = Json::array();
  for (const SglangReleaseVerdict& each : sglang_release_verdicts(options.path, options.sglang_model_id)) {
    json["sglang_releases"].push_back(verdict_json({{"first", each.first}, {"last", each.last}}, each.verdict, spec));
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_text(json);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_resolve(CLI::App& app, Action& action) {
  auto options = std::make_shared<ResolveArguments>();
  CLI::App* verb = app.add_subcommand(
      "resolve", "Show which model and settings a path stands for: by its files, and for SGLang by its name");
  verb->add_option("PATH", options->path, "a model directory in diffusers layout")->required();
  verb->add_option("--model-id", options->model_id, "catalog id that the files must match, e.g. t2v-a14b");
  verb->add_option("--sglang-model-id", options->sglang_model_id,
                   "value of SGLang's --model-id (0.5.10 and later), e.g. Wan2.2-T2V-A14B-Diffusers");
  verb->add_flag("--json", options->json, "print JSON");
  verb->footer("Example:\n  wansweep resolve models/wan2.2 --model-id t2v-a14b");
  verb->callback([options, &action] { action = [options] { return resolve(*options); }; });
}

}  // namespace wansweep
