// The runs are the product of the matrix lists over base, without the combinations that an exclude matches, plus the
// includes. Anything that looks like a mistake (a key in two places, a value twice, an exclude that matches nothing) is
// an error, because a sweep that silently runs something else costs a night on a cluster.

#include "orchestrator/plan/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/formats/toml.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/shell_quote.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

constexpr size_t max_name_length = 64;
constexpr int64_t max_repeats = 1000;
constexpr size_t max_configurations = 1'000'000;
constexpr int64_t most_sweep_bytes = int64_t{16} << 20;

using Json = nlohmann::json;
using Places = std::map<std::string, std::string, std::less<>>;

std::string place(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

const char* type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or a time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

const toml::table& as_table(const toml::node& node, const std::string& file, std::string_view name) {
  if (const toml::table* table = node.as_table()) return *table;
  throw bad_input(fmt::format("{}: {} is {}; a table [{}] is needed", place(file, node), name, type_name(node), name));
}

// The tables of [[include]] or [[exclude]]; empty when absent.
std::vector<const toml::table*> tables(const toml::table& root, const std::string& file, std::string_view name) {
  std::vector<const toml::table*> found;
  const toml::node* node = root.get(name);
  if (node == nullptr) return found;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    throw bad_input(
        fmt::format("{}: {} is {}; write [[{}]], once for each", place(file, *node), name, type_name(*node), name));
  }
  for (const toml::node& element : *list) {
    const toml::table& table = as_table(element, file, name);
    if (table.empty()) {
      throw bad_input(fmt::format("{}: {} is empty; give at least one setting", place(file, element), name));
    }
    found.push_back(&table);
  }
  return found;
}

// One value of one setting. Lists are possible only in [matrix].
struct Setting {
  std::string key;
  Json value;
  std::string where;
  std::string written = {};  // a relative path as it was written; the value is the absolute path
};

Setting make_setting(std::string_view key, const toml::node& node, const std::string& file, std::string_view section) {
  Setting setting{std::string(key), nullptr, fmt::format("{}: {}", place(file, node), section)};
  if (const auto* text = node.as_string()) {
    setting.value = text->get();
    const Field* field = find_field(key);
    if (field != nullptr && field->is_path() && !text->get().empty()) {
      const std::filesystem::path path(text->get());
      setting.value = std::filesystem::absolute(path).lexically_normal().string();
      if (path.is_relative()) setting.written = path.lexically_normal().string();
    }
  } else if (const auto* integer = node.as_integer()) {
    setting.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    setting.value = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    setting.value = boolean->get();
  } else {
    throw bad_input(fmt::format("{}.{} is {}; one value is needed{}", setting.where, key, type_name(node),
                                node.is_array() ? " (lists belong in [matrix])" : ""));
  }
  return setting;
}

void apply(RunSettings& spec, const Setting& setting) {
  set_field(spec, setting.key, setting.value, setting.where);
  spec.origins[setting.key].written = setting.written;
}

std::vector<Setting> settings_of(const toml::table& table, const std::string& file, std::string_view section) {
  std::vector<Setting> settings;
  for (const auto& [key, node] : table) settings.push_back(make_setting(key.str(), node, file, section));
  return settings;
}

// The value as a spec holds it, so that 12 and 12.0 are the same flow_shift. Throws for unknown keys and wrong types.
Json normal_value(const Setting& setting) {
  RunSettings scratch;
  apply(scratch, setting);
  return get_field(scratch, *find_field(setting.key));
}

struct Axis {
  std::pair<uint32_t, uint32_t> source_begin;  // line, column
  std::string where;
  std::vector<Setting> values;
};

Axis make_axis(std::string_view key, const toml::node& node, const std::string& file) {
  const std::string where = place(file, node);
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    throw bad_input(fmt::format("{}: matrix.{} is {}; a list is needed (put a single value for all runs in [base])",
                                where, key, type_name(node)));
  }
  Axis axis{{node.source().begin.line, node.source().begin.column}, where + ": matrix", {}};
  std::vector<Json> seen;
  for (const toml::node& element : *list) {
    Setting setting = make_setting(key, element, file, "matrix");
    Json value = normal_value(setting);
    if (std::find(seen.begin(), seen.end(), value) != seen.end()) {
      throw bad_input(
          fmt::format("{}: matrix.{} has {} twice; give each value once (to repeat runs, set repeats in [sweep])",
                      place(file, element), key, value.dump()));
    }
    seen.push_back(std::move(value));
    axis.values.push_back(std::move(setting));
  }
  if (axis.values.empty()) {
    throw bad_input(fmt::format("{}: matrix.{} is an empty list; give at least one value", where, key));
  }
  return axis;
}

std::vector<Axis> read_axes(const toml::table& root, const RunSettings& base, const toml::table* base_table,
                            const std::string& file) {
  std::vector<Axis> axes;
  const toml::node* node = root.get("matrix");
  if (node == nullptr) return axes;
  size_t count = 1;
  for (const auto& [key, list] : as_table(*node, file, "matrix")) {
    if (find_field(key.str()) == nullptr) {
      RunSettings scratch = base;
      set_field(scratch, key.str(), nullptr, place(file, list) + ": matrix");  // throws, naming the nearest known key
    }
    if (base_table != nullptr && base_table->contains(key.str())) {
      throw bad_input(
          fmt::format("{}: matrix.{} is set in [base] too; keep one of the two", place(file, list), key.str()));
    }
    axes.push_back(make_axis(key.str(), list, file));
    count *= axes.back().values.size();
    if (count > max_configurations) {
      throw bad_input(fmt::format("{}: matrix has more than {} combinations; split the sweep", place(file, *node),
                                  max_configurations));
    }
  }
  if (axes.empty()) {
    throw bad_input(
        fmt::format("{}: matrix is empty; give at least one list, e.g. ranks = [4, 6]", place(file, *node)));
  }
  // In the order of the file, since toml++ sorts keys by name.
  std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.source_begin < b.source_begin; });
  return axes;
}

// Every combination; the last axis changes fastest.
std::vector<Configuration> product(const std::vector<Axis>& axes, const Configuration& base) {
  std::vector<Configuration> all{base};
  for (const Axis& axis : axes) {
    std::vector<Configuration> next;
    next.reserve(all.size() * axis.values.size());
    for (const Configuration& partial : all) {
      for (const Setting& value : axis.values) {
        next.push_back(partial);
        apply(next.back().spec, value);
      }
    }
    all = std::move(next);
  }
  return all;
}

// Every exclude is compared with the whole matrix, so that two excludes may overlap.
std::vector<Configuration> without_excluded(std::vector<Configuration> all,
                                            const std::vector<const toml::table*>& excludes, const std::string& file) {
  std::vector<bool> excluded(all.size(), false);
  for (const toml::table* table : excludes) {
    std::vector<std::pair<const Field*, Json>> wanted;
    for (const Setting& setting : settings_of(*table, file, "exclude")) {
      Json value = normal_value(setting);
      wanted.emplace_back(find_field(setting.key), std::move(value));
    }
    bool any = false;
    for (size_t i = 0; i < all.size(); ++i) {
      const bool matches = std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        return get_field(all[i].spec, *pair.first) == pair.second;
      });
      if (matches) any = excluded[i] = true;
    }
    if (!any) {
      throw bad_input(
          fmt::format("{}: exclude matches no combination of the matrix; correct or remove it", place(file, *table)));
    }
  }
  std::vector<Configuration> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!excluded[i]) kept.push_back(std::move(all[i]));
  }
  return kept;
}

void check_keys(const toml::table& table, const std::vector<std::string_view>& known, const std::string& file,
                const std::string& prefix) {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const std::string near = nearest_name(key.str(), known);
    throw bad_input(fmt::format("{}: unknown key {}{}; {}", place(file, node), prefix, key.str(),
                                near.empty() ? fmt::format("known keys: {}", fmt::join(known, ", "))
                                             : fmt::format("did you mean {}{}?", prefix, near)));
  }
}

// The name becomes a directory, a job's name and a column: only characters that need no quoting are allowed.
void check_name(const std::string& name, const std::string& where) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  const bool first_ok = !name.empty() && name[0] != '.' && name[0] != '-';
  if (first_ok && name.size() <= max_name_length && std::all_of(name.begin(), name.end(), plain)) return;
  throw bad_input(
      fmt::format("{}: sweep.name is {}; give 1 to {} letters, digits, '-', '_' and '.', not beginning with '-' or '.'",
                  where, Json(name).dump(-1, ' ', true, Json::error_handler_t::replace), max_name_length));
}

void read_header(const toml::table& root, Sweep& sweep) {
  const toml::node* node = root.get("sweep");
  if (node == nullptr)
    throw bad_input(sweep.file + ": [sweep] is missing; give it with a name, for example name = \"demo\"");
  const toml::table& header = as_table(*node, sweep.file, "sweep");
  check_keys(header, {"name", "repeats"}, sweep.file, "sweep.");
  const toml::node* name = header.get("name");
  if (name == nullptr || !name->is_string()) {
    throw bad_input(fmt::format("{}: sweep.name is {}; a string is needed", place(sweep.file, name ? *name : *node),
                                name ? type_name(*name) : "missing"));
  }
  sweep.name = name->as_string()->get();
  check_name(sweep.name, place(sweep.file, *name));
  if (const toml::node* repeats = header.get("repeats")) {
    const auto* value = repeats->as_integer();
    if (value == nullptr) {
      throw bad_input(fmt::format("{}: sweep.repeats is {}; an integer is needed", place(sweep.file, *repeats),
                                  type_name(*repeats)));
    }
    if (value->get() < 1 || value->get() > max_repeats) {
      throw bad_input(fmt::format("{}: sweep.repeats is {}; a number from 1 to {} is needed",
                                  place(sweep.file, *repeats), value->get(), max_repeats));
    }
    sweep.repeats = static_cast<int>(value->get());
  }
}

// Says which file the directory's sweep was made from, if it tells: a rerun's lies in it, others are in its record.
void refuse_directory(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return;
  const std::string own = (fs::path(path) / "sweep.toml").string();
  std::string file = fs::is_regular_file(own, unknown) ? own : "";
  if (file.empty()) {
    const std::optional<Json> record = read_json_object_if_there((fs::path(path) / "sweep.json").string());
    if (record && record->value("file", Json()).is_string()) file = record->at("file");
  }
  throw bad_input(file.empty()
                      ? fmt::format("{}: is a directory; give a sweep's TOML file, for example jobs/demo.toml", path)
                      : fmt::format("{}: is a sweep's directory; give its file: {} --dir {}", path, shell_word(file),
                                    shell_word(path)));
}

}  // namespace

const std::string& Configuration::place_of(std::string_view message) const {
  if (places == nullptr) return where;
  std::string_view name = message.substr(0, message.find_first_of(" :"));
  if (!spec.model.empty() && message.starts_with(spec.model)) name = "model";
  if (!spec.inputs.empty() && message.starts_with(spec.inputs)) name = "inputs";
  const auto found = places->find(name);
  return found != places->end() ? found->second : where;
}

Sweep parse_sweep(const std::string& text, const std::string& file) {
  const toml::table root = parse_toml(text, file);
  check_keys(root, {"sweep", "base", "matrix", "include", "exclude"}, file, "");

  Sweep sweep;
  sweep.file = file;
  sweep.text = text;
  read_header(root, sweep);

  RunSettings base;
  Places base_places;
  const toml::node* base_node = root.get("base");
  const toml::table* base_table = base_node != nullptr ? &as_table(*base_node, file, "base") : nullptr;
  if (base_table != nullptr) {
    for (const Setting& setting : settings_of(*base_table, file, "base")) {
      apply(base, setting);
      base_places[setting.key] = setting.where;
    }
  }

  const std::vector<Axis> axes = read_axes(root, base, base_table, file);
  const auto includes = tables(root, file, "include");
  if (axes.empty() && includes.empty()) {
    throw bad_input(
        file +
        ": [matrix] and [[include]] are missing; give at least one list in [matrix], for example ranks = [4, 6]");
  }
  if (!axes.empty()) {
    Places places = base_places;
    for (const Axis& axis : axes) places[axis.values.front().key] = axis.where;
    sweep.configurations = product(
        axes, {base, place(file, *root.get("matrix")) + ": matrix", std::make_shared<const Places>(std::move(places))});
  }
  sweep.configurations = without_excluded(std::move(sweep.configurations), tables(root, file, "exclude"), file);
  for (const toml::table* include : includes) {
    Places places = base_places;
    RunSettings spec = base;
    for (const Setting& setting : settings_of(*include, file, "include")) {
      apply(spec, setting);
      places[setting.key] = setting.where;
    }
    sweep.configurations.push_back(
        {std::move(spec), place(file, *include) + ": include", std::make_shared<const Places>(std::move(places))});
  }
  if (sweep.configurations.empty()) {
    throw bad_input(file + ": the excludes remove all runs; remove an exclude, or extend the matrix");
  }
  return sweep;
}

Sweep read_sweep(const std::string& file) {
  refuse_directory(file);
  const std::optional<std::string> text = read_text_if_there(file, most_sweep_bytes);
  if (!text)
    throw bad_input(file + ": cannot be read: no such file; give a sweep's TOML file, for example jobs/demo.toml");
  return parse_sweep(*text, file);
}

}  // namespace wansweep
