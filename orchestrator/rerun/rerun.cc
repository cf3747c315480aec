// Of the settings that each old run recorded, only the user's are kept; the changes are applied to them, and all others
// are resolved again. Old runs whose hash stays are not rerun; old configurations that become equal share a new one.
// The new sweep is written as TOML and planned from that text, so that `run` reads exactly what was checked. The new
// directory is made under a temporary name and renamed when it is complete; the record in the old directory is written
// last. After a kill in between, the new sweep's lineage.json names the old one, and complete_cut_off_reruns finds it.

#include "orchestrator/rerun/rerun.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "schema/model_catalog.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view catalog_value = "catalog";
constexpr std::string_view rerun_suffix = "-rerun";

Json value_of(const Field& field, const std::string& text) {
  if (field.is_path() && !text.empty()) return fs::absolute(text).lexically_normal().string();
  if (field.is_text() || !field.choices().empty()) return text;
  const Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

void open_again(RunSettings& spec, std::string_view name) {
  reset_field(spec, *find_field(name));
  spec.origins.erase(std::string(name));
}

// Whether `--set KEY=catalog` is possible: the catalog has values for the settings that resolving fills, and `resolver`
// selects who fills them.
bool catalog_decides(std::string_view key) {
  const Field* field = find_field(key);
  return key == "resolver" || (field != nullptr && field->resolved);
}

// The settings that a user gave. Frames that a resolver of SGLang has rounded up become the user's again.
RunSettings as_asked(const RunSettings& used) {
  RunSettings asked;
  for (const auto& [name, origin] : used.origins) {
    if (origin.origin != "user") continue;
    set_field(asked, name, get_field(used, *find_field(name)), "spec.json");
    asked.origins[name].written = origin.written;
  }
  const auto frames = used.origins.find("frames");
  if (used.resolver != ResolverKind::sglang_2025_12 || frames == used.origins.end() || frames->second.catalog.empty())
    return asked;
  const int wanted = std::stoi(frames->second.catalog);
  if (!asked.frames && sglang_rounded_frames(wanted, static_cast<int>(used.ranks)) == used.frames) {
    set_field(asked, "frames", wanted, "spec.json");
  }
  return asked;
}

std::string free_name(const std::string& directory, const std::string& name) {
  std::string base = name;
  const size_t suffix = base.rfind(rerun_suffix);
  if (suffix != base.npos && base.find_first_not_of("0123456789", suffix + rerun_suffix.size()) == base.npos) {
    base.resize(suffix);
  }
  const fs::path parent = fs::path(directory).parent_path();
  for (int n = 1;; ++n) {
    std::string candidate = fmt::format("{}{}{}", base, rerun_suffix, n);
    if (!fs::exists(parent / candidate)) return candidate;
  }
}

// A path that was given relative to the project stays relative if it leads to the same place from here.
Json toml_value(const RunSettings& spec, const Field& field) {
  Json value = get_field(spec, field);
  const std::string written = written_path(spec, field.name);
  if (written.empty()) return value;
  return value == fs::absolute(written).lexically_normal().string() ? Json(written) : value;
}

// JSON's strings and numbers are also valid TOML.
std::string toml_lines(const RunSettings& spec, const std::set<std::string>& names) {
  std::string text;
  for (const Field& field : fields()) {
    const std::string name(field.name);
    if (names.contains(name)) text += fmt::format("{} = {}\n", name, toml_value(spec, field).dump());
  }
  return text;
}

std::set<std::string> set_names(const RunSettings& spec) {
  std::set<std::string> names;
  for (const auto& [name, origin] : spec.origins) names.insert(name);
  return names;
}

// Settings that all configurations share go to [base], unless that leaves one of them without a setting of its own.
std::string toml_of(const Lineage& lineage, int repeats, const std::vector<RunSettings>& specs) {
  std::set<std::string> common = set_names(specs.front());
  for (const RunSettings& spec : specs) {
    std::erase_if(common, [&](const std::string& name) {
      const Field& field = *find_field(name);
      return !spec.origins.contains(name) || get_field(spec, field) != get_field(specs.front(), field);
    });
  }
  const bool bare = std::any_of(specs.begin(), specs.end(),
                                [&](const RunSettings& spec) { return set_names(spec).size() == common.size(); });
  if (bare) common.clear();
  std::string text = fmt::format("# Made by `wansweep rerun`: corrects sweep {} with {}.\n", lineage.of,
                                 fmt::join(lineage.changes, ", "));
  text += fmt::format("\n[sweep]\nname = {}\nrepeats = {}\n", Json(lineage.sweep).dump(), repeats);
  if (!common.empty()) text += "\n[base]\n" + toml_lines(specs.front(), common);
  for (const RunSettings& spec : specs) {
    std::set<std::string> own = set_names(spec);
    for (const std::string& name : common) own.erase(name);
    text += "\n[[include]]\n" + toml_lines(spec, own);
  }
  return text;
}

// The database identifies runs by their sweep's name, so a sweep and its reruns must have different names.
void refuse_taken_name(const RerunRequest& request, const std::string& old_name) {
  std::set<std::string> taken{old_name};
  for (const Lineage& lineage : read_lineage_of_old(request.directory)) taken.insert(lineage.sweep);
  for (const Lineage& lineage : read_lineage_of_new(request.directory)) taken.insert(lineage.of);
  if (!taken.contains(request.name)) return;
  throw bad_input(fmt::format("--name {0}: is already the name of {1}; give another name, or their runs would be mixed",
                              request.name,
                              request.name == old_name ? "the corrected sweep" : "another rerun of the sweep"));
}

std::set<std::string> superseded_runs(const std::string& directory) {
  std::set<std::string> names;
  for (const Lineage& lineage : read_lineage_of_old(directory)) {
    for (const ReplacedRun& run : lineage.runs) names.insert(run.before.run);
  }
  return names;
}

struct Chosen {
  std::string config;
  std::vector<ListedRun> runs;
};

// Configuration by configuration, in the sweep's order.
std::vector<Chosen> choose(const RerunRequest& request, const SweepRecord& record, Rerun& rerun) {
  const std::set<std::string> superseded = superseded_runs(request.directory);
  std::vector<Chosen> chosen;
  for (const ListedRun& run : record.runs) {
    if (request.chosen && std::find(request.chosen->begin(), request.chosen->end(), run.run) == request.chosen->end()) {
      continue;
    }
    if (superseded.contains(run.run)) {
      ++rerun.superseded;
      continue;
    }
    auto found = std::find_if(chosen.begin(), chosen.end(), [&](const Chosen& c) { return c.config == run.config; });
    if (found == chosen.end()) found = chosen.insert(chosen.end(), {run.config, {}});
    found->runs.push_back(run);
  }
  return chosen;
}

}  // namespace

Change parse_change(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) {
    throw bad_input(fmt::format("--set {}: give KEY=VALUE, for example --set flow_shift=12", text));
  }
  Change change{text.substr(0, equals), text.substr(equals + 1)};
  RunSettings scratch;
  if (change.value != catalog_value) {
    const Field* field = find_field(change.key);
    set_field(scratch, change.key, field != nullptr ? value_of(*field, change.value) : Json(), "--set");
  } else if (!catalog_decides(change.key)) {
    if (find_field(change.key) == nullptr) set_field(scratch, change.key, nullptr, "--set");  // throws
    throw bad_input(fmt::format("--set {}: the catalog has no value for this setting; it has values for resolver, {}",
                                text, fmt::join(resolved_settings(), ", ")));
  }
  return change;
}

std::vector<Change> parse_changes(const std::vector<std::string>& texts) {
  std::vector<Change> changes;
  for (const std::string& text : texts) {
    const Change change = parse_change(text);
    for (const Change& earlier : changes) {
      if (earlier.key != change.key || earlier.value == change.value) continue;
      throw bad_input(fmt::format("--set {0} and --set {1}: both set {2}; give one of them", earlier.text(),
                                  change.text(), change.key));
    }
    changes.push_back(change);
  }
  return changes;
}

void apply_change(RunSettings& settings, const Change& change) {
  set_field(settings, change.key, value_of(*find_field(change.key), change.value), "--set");
}

RunSettings corrected(const RunSettings& used, const std::vector<Change>& changes) {
  RunSettings spec = as_asked(used);
  for (const Change& change : changes) {
    if (change.value != catalog_value) {
      apply_change(spec, change);
    } else {
      open_again(spec, change.key);
    }
  }
  for (const Change& change : changes) {
    if (change.value == catalog_value && spec.resolver != ResolverKind::files) {
      throw bad_input(
          fmt::format("--set {}: resolver is {}, which would fill this setting again; add --set resolver=catalog",
                      change.text(), name_of(spec.resolver)));
    }
  }
  return spec;
}

Rerun plan_rerun(const RerunRequest& request) {
  const SweepRecord record = read_sweep_record(request.directory);
  const std::map<std::string, RunSettings> specs = read_sweep_specs(request.directory);
  Rerun rerun;
  Lineage& lineage = rerun.lineage;
  lineage.of = record.name;
  lineage.of_directory = fs::absolute(request.directory).lexically_normal().string();
  if (lineage.of_directory.ends_with('/')) lineage.of_directory.pop_back();
  refuse_taken_name(request, record.name);
  lineage.sweep = request.name.empty() ? free_name(lineage.of_directory, record.name) : request.name;
  lineage.directory = request.new_directory.empty()
                          ? (fs::path(lineage.of_directory).parent_path() / lineage.sweep).string()
                          : fs::absolute(request.new_directory).lexically_normal().string();
  for (const Change& change : request.changes) lineage.changes.push_back(change.text());
  lineage.where = request.where;
  lineage.reason = request.reason;
  lineage.made_at = timestamp_now();

  struct Replaced {
    ListedRun run;
    size_t after;
    int repeat;
  };
  std::vector<Replaced> replaced;
  std::vector<RunSettings> asked;
  std::map<std::string, size_t> by_hash;
  int repeats = 0;
  for (const Chosen& chosen : choose(request, record, rerun)) {
    const auto before = specs.find(chosen.config);
    if (before == specs.end()) {
      throw bad_input(
          fmt::format("{}/sweep.json: the settings of run {} are missing", request.directory, chosen.runs.front().run));
    }
    const RunSettings spec = corrected(before->second, request.changes);
    RunSettings resolved = spec;
    resolve_settings(resolved);
    const std::string hash = settings_hash(resolved);
    if (hash == chosen.config) {
      rerun.unchanged += chosen.runs.size();
      continue;
    }
    const auto [after, is_new] = by_hash.emplace(hash, asked.size());
    if (is_new) asked.push_back(spec);
    rerun.configurations.push_back(
        {configuration_of(chosen.runs.front()), chosen.runs.size(), before->second, after->second});
    int repeat = 0;
    for (const ListedRun& run : chosen.runs) replaced.push_back({run, after->second, ++repeat});
    repeats = std::max(repeats, repeat);
  }
  if (asked.empty()) return rerun;

  rerun.toml = toml_of(lineage, repeats, asked);
  rerun.sweep = parse_sweep(rerun.toml, lineage.directory + "/sweep.toml");
  rerun.plan = make_plan(rerun.sweep);
  refuse_problems(rerun.plan);
  for (const Replaced& one : replaced) {
    const PlannedConfiguration& after = rerun.plan.configurations[one.after];
    lineage.runs.push_back(
        {{one.run.run, one.run.config, one.run.repeat}, {run_name(after, one.repeat), after.hash, one.repeat}});
  }
  return rerun;
}

void write_rerun(const Rerun& rerun) {
  const Lineage& lineage = rerun.lineage;
  if (fs::exists(lineage.directory)) {
    throw bad_input(fmt::format("{}: exists already; give another --name or --dir", lineage.directory));
  }
  const std::string making = fmt::format("{}.making-{}", lineage.directory, getpid());
  try {
    create_sweep_directory(making);
    write_file_atomically(making + "/sweep.toml", rerun.toml);
    write_sweep_record(making, rerun.sweep, rerun.plan);
    write_lineage_of_new(making, lineage);
    fs::rename(making, lineage.directory);
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove_all(making, ignored);
    throw Error(ExitCode::output, fmt::format("{}: cannot be created: {}", lineage.directory, error.what()));
  }
  write_lineage_of_old(lineage.of_directory, lineage);
}

void complete_cut_off_reruns(const std::string& directory) {
  const fs::path old_directory = fs::absolute(directory).lexically_normal();
  const std::string name = read_sweep_record(directory).name;
  std::set<std::string> known;
  for (const Lineage& lineage : read_lineage_of_old(directory)) known.insert(lineage.sweep);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::canonical(old_directory).parent_path(), none)) {
    if (!fs::is_regular_file(entry.path() / "lineage.json") ||
        entry.path().string().find(".making-") != std::string::npos) {
      continue;
    }
    for (const Lineage& lineage : read_lineage_of_new(entry.path().string())) {
      if (lineage.of == name && !known.contains(lineage.sweep)) write_lineage_of_old(directory, lineage);
    }
  }
}

}  // namespace wansweep
