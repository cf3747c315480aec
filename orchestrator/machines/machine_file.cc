// Two visitors go through one list of keys (machine_keys.h). KeyReader takes each value out of a TOML table, and then
// complains about keys that are left over; KeyWriter writes the values in the same order. Every complaint names the
// line of the file.

#include "orchestrator/machines/machine_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/formats/toml.h"
#include "base/nearest_name.h"
#include "base/sha256.h"
#include "base/share_folder.h"
#include "orchestrator/machines/machine_keys.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr double most_of_anything = 1e15;

class KeyReader {
 public:
  // `what` names the table in complaints: "links.copies 2".
  KeyReader(const toml::table& table, std::string what, const std::string& file)
      : table_(table), what_(std::move(what)), file_(file) {}

  template <class T>
  void operator()(const char* name, T& member) {
    const toml::node* node = find(name);
    if (node == nullptr) {
      throw bad_input(fmt::format("{}: {} is missing{}", place(table_), name, what_.empty() ? "" : " in " + what_));
    }
    read(name, *node, member);
  }

  template <class T>
  void optional(const char* name, T& member) {
    if (const toml::node* node = find(name)) read(name, *node, member);
  }

  template <class Visit>
  void table(const char* name, const Visit& visit) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    if (!node->is_table()) throw bad_input(fmt::format("{}: {} must be a table", place(*node), name));
    KeyReader inner(*node->as_table(), path(name), file_);
    visit(inner);
    inner.refuse_others();
  }

  template <class T, class Visit>
  void list(const char* name, std::vector<T>& members, const Visit& visit) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) throw bad_input(fmt::format("{}: {} must be a list of tables", place(*node), name));
    for (const toml::node& each : *array) {
      if (!each.is_table()) throw bad_input(fmt::format("{}: {} must be a list of tables", place(each), name));
      KeyReader inner(*each.as_table(), fmt::format("{} {}", path(name), members.size() + 1), file_);
      visit(inner, members.emplace_back());
      inner.refuse_others();
    }
  }

  void refuse_others() const {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(known_, key.str()) != known_.end()) continue;
      const std::string nearest = nearest_name(key.str(), known_);
      throw bad_input(fmt::format("{}: unknown key {}{}", place(node), nlohmann::json(std::string(key.str())).dump(),
                                  nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
    }
  }

 private:
  const toml::node* find(const char* name) {
    known_.emplace_back(name);
    return table_.get(name);
  }
  std::string place(const toml::node& node) const { return fmt::format("{}:{}", file_, node.source().begin.line); }
  std::string path(const char* name) const { return what_.empty() ? name : fmt::format("{}.{}", what_, name); }

  void read(const char* name, const toml::node& node, std::string& member) const {
    if (!node.is_string()) throw bad_input(fmt::format("{}: {} must be text", place(node), name));
    member = *node.value<std::string>();
  }
  void read(const char* name, const toml::node& node, bool& member) const {
    if (!node.is_boolean()) throw bad_input(fmt::format("{}: {} must be true or false", place(node), name));
    member = *node.value<bool>();
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void read(const char* name, const toml::node& node, T& member) const {
    const auto number = node.value<T>();
    // Written so that nan is refused too.
    if (!number || !node.is_number() || !(*number >= 0 && static_cast<double>(*number) <= most_of_anything)) {
      throw bad_input(fmt::format("{}: {} must be a{} number, 0 or above", place(node), name,
                                  std::is_integral_v<T> ? " whole" : ""));
    }
    member = *number;
  }
  template <NamedEnum E>
  void read(const char* name, const toml::node& node, E& member) const {
    const auto word = node.value<std::string>();
    const std::optional<E> value = word ? value_named<E>(*word) : std::nullopt;
    if (!value) {
      throw bad_input(fmt::format("{}: {} must be {}", place(node), name, fmt::join(names_of<E>(), " or ")));
    }
    member = *value;
  }
  void read(const char* name, const toml::node& node, Measured& member) const {
    if (!node.is_table()) {
      throw bad_input(
          fmt::format("{}: {} must be {{ value = ..., low = ..., high = ..., origin = \"...\" }}", place(node), name));
    }
    KeyReader inner(*node.as_table(), path(name), file_);
    inner("value", member.value);
    inner("low", member.low);
    inner("high", member.high);
    inner.optional("samples", member.samples);
    inner("origin", member.origin);
    inner.optional("doubt", member.doubt);
    inner.refuse_others();
    if (!(member.low > 0) || member.low > member.value || member.value > member.high) {
      throw bad_input(fmt::format("{}: {} is {:g}, from {:g} to {:g}; 0 < low <= value <= high is needed", place(node),
                                  name, member.value, member.low, member.high));
    }
  }

  const toml::table& table_;
  std::string what_;
  const std::string& file_;
  std::vector<std::string_view> known_;
};

// TOML escapes text as JSON does, except for the delete character, which JSON does not escape.
std::string quoted(const std::string& text) {
  std::string out = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (size_t at = 0; (at = out.find('\x7f', at)) != std::string::npos;) out.replace(at, 1, "\\u007F");
  return out;
}

// Writes the values of a table before the tables inside it, as TOML requires.
class KeyWriter {
 public:
  explicit KeyWriter(std::string path) : path_(std::move(path)) {}

  template <class T>
  void operator()(const char* name, const T& member) {
    values_ += fmt::format("{} = {}\n", name, text_of(member));
  }
  template <class T>
  void optional(const char* name, const T& member) {
    if (member != T()) (*this)(name, member);
  }
  template <class Visit>
  void table(const char* name, const Visit& visit) {
    KeyWriter inner(path(name));
    visit(inner);
    if (!inner.values_.empty()) tables_ += fmt::format("\n[{}]\n{}", path(name), inner.values_);
    tables_ += inner.tables_;
  }
  template <class T, class Visit>
  void list(const char* name, std::vector<T>& members, const Visit& visit) {
    for (T& member : members) {
      KeyWriter inner(path(name));
      visit(inner, member);
      tables_ += fmt::format("\n[[{}]]\n{}{}", path(name), inner.values_, inner.tables_);
    }
  }
  std::string text() const { return values_ + tables_; }

 private:
  std::string path(const char* name) const { return path_.empty() ? name : fmt::format("{}.{}", path_, name); }

  static std::string text_of(const std::string& text) { return quoted(text); }
  static std::string text_of(bool value) { return value ? "true" : "false"; }
  static std::string text_of(double value) {
    const std::string digits = fmt::format("{:.6g}", value);
    return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
  }
  template <class T>
  requires std::is_integral_v<T>
  static std::string text_of(T value) { return fmt::format("{}", value); }
  template <NamedEnum E>
  static std::string text_of(E value) {
    return quoted(std::string(name_of(value)));
  }
  static std::string text_of(const Measured& m) {
    const std::string doubt = m.doubt.empty() ? "" : fmt::format(", doubt = {}", quoted(m.doubt));
    return fmt::format("{{ value = {}, low = {}, high = {}, samples = {}, origin = {}{} }}", text_of(m.value),
                       text_of(m.low), text_of(m.high), m.samples, quoted(m.origin), doubt);
  }

  std::string path_, values_, tables_;
};

// The folders in which NAME.toml is looked for; the second holds the files installed with wansweep.
std::vector<fs::path> machine_folders() { return {"machines", fs::path(share_folder()) / "machines"}; }

std::string known_machines() {
  std::vector<std::string> names;
  for (const fs::path& folder : machine_folders()) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names.empty() ? "there are none" : fmt::format("there are {}", fmt::join(names, ", "));
}

}  // namespace

Machine parse_machine(const std::string& text, const std::string& file) {
  const toml::table table = parse_toml(text, file);
  const auto version = table["version"].value<int64_t>();
  if (!version || *version != machine_file_version) {
    throw bad_input(
        fmt::format("{}: is no machine's file of version {}; `wansweep probe` writes one", file, machine_file_version));
  }
  Machine machine;
  KeyReader reader(table, "", file);
  int64_t ignored = 0;
  reader("version", ignored);
  visit_keys(reader, machine);
  reader.refuse_others();
  machine.play_doubt = measured_play_doubt(machine.backend);
  if (machine.gpus_per_node < 1) throw bad_input(fmt::format("{}: gpus_per_node must be 1 or more", file));
  return machine;
}

MachineFile read_machine(const std::string& name) {
  std::vector<fs::path> candidates{name};
  if (!name.ends_with(".toml") && name.find('/') == std::string::npos) {
    candidates.clear();
    for (const fs::path& folder : machine_folders()) candidates.push_back(folder / (name + ".toml"));
  }
  for (const fs::path& file : candidates) {
    const std::optional<std::string> text = read_text_if_there(file.string());
    if (text) return {parse_machine(*text, file.string()), file.string(), sha256(*text)};
  }
  throw bad_input(
      fmt::format("machine {}: there is no such file; {}; `wansweep probe` measures the one you are on, or "
                  "give the path of a .toml file",
                  name, known_machines()));
}

std::string machine_text(const Machine& machine) {
  KeyWriter writer("");
  Machine copy = machine;  // visit_keys takes members that can be changed, since the reader sets them
  visit_keys(writer, copy);
  return fmt::format("version = {}\n{}", machine_file_version, writer.text());
}

}  // namespace wansweep
