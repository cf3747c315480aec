#include "orchestrator/imports/kernel_classes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/enum_names.h"
#include "base/error.h"
#include "base/files.h"
#include "base/formats/toml.h"
#include "base/nearest_name.h"
#include "orchestrator/imports/embedded_kernel_classes.h"

namespace wansweep {
namespace {

constexpr size_t most_name = 1024;  // characters of a kernel's name that are matched; templates make names long

std::string where_of(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

std::string text_of(const toml::table& rule, std::string_view key, const std::string& file) {
  const toml::node* node = rule.get(key);
  if (node == nullptr) throw bad_input(fmt::format("{}: {} is missing", where_of(file, rule), key));
  if (!node->is_string()) throw bad_input(fmt::format("{}: {} must be text", where_of(file, *node), key));
  return *node->value<std::string>();
}

void refuse_other_keys(const toml::table& table, const std::vector<std::string_view>& known, const std::string& file) {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const std::string nearest = nearest_name(key.str(), known);
    throw bad_input(fmt::format("{}: unknown key {}{}", where_of(file, node), key.str(),
                                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
}

constexpr size_t named_kernels = 3;
constexpr size_t longest_name = 60;

// A kernel's name without what it returns, the arguments of its template, and its parameters: "at::native::fill".
std::string short_name(std::string kernel) {
  for (const std::string_view left_out : {"void ", "(anonymous namespace)::"}) {
    for (size_t at = 0; (at = kernel.find(left_out)) != kernel.npos;) kernel.erase(at, left_out.size());
  }
  return kernel.substr(0, std::min(kernel.find_first_of("<("), longest_name));
}

}  // namespace

EventKind event_kind(KernelClass kind) {
  switch (kind) {
    case KernelClass::attention:
      return EventKind::attention;
    case KernelClass::product:
    case KernelClass::other:
      break;
    case KernelClass::all_to_all:
      return EventKind::all_to_all;
    case KernelClass::ring:
      return EventKind::ring;
  }
  return EventKind::compute;
}

KernelClasses::KernelClasses(const std::string& file) {
  if (!file.empty()) add(read_text(file), file);
  add(embedded_kernel_classes, "kernel_classes.toml");
}

void KernelClasses::add(const std::string& text, const std::string& name) {
  const toml::table table = parse_toml(text, name);
  refuse_other_keys(table, {"kernel"}, name);
  const toml::array* list = table["kernel"].as_array();
  if (list == nullptr) throw bad_input(fmt::format("{}: holds no [[kernel]] table", name));
  for (const toml::node& node : *list) {
    const toml::table* rule = node.as_table();
    if (rule == nullptr)
      throw bad_input(fmt::format("{}: kernel must be a list of tables: write [[kernel]]", where_of(name, node)));
    refuse_other_keys(*rule, {"class", "pattern"}, name);
    const std::string word = text_of(*rule, "class", name), pattern = text_of(*rule, "pattern", name);
    const std::optional<KernelClass> kind = value_named<KernelClass>(word);
    if (!kind) {
      throw bad_input(fmt::format("{}: class is {}; possible values: {}", where_of(name, *rule->get("class")), word,
                                  fmt::join(names_of<KernelClass>(), ", ")));
    }
    try {
      rules_.push_back({std::regex(pattern, std::regex::extended | std::regex::icase | std::regex::optimize), *kind});
    } catch (const std::regex_error&) {
      throw bad_input(fmt::format("{}: pattern {} is not an extended regular expression",
                                  where_of(name, *rule->get("pattern")), pattern));
    }
  }
}

std::optional<KernelClass> KernelClasses::find(const std::string& kernel) {
  if (const auto found = known_.find(kernel); found != known_.end()) return found->second;
  std::optional<KernelClass> kind;
  const std::string looked_at = kernel.substr(0, most_name);
  for (const Rule& rule : rules_) {
    if (!std::regex_search(looked_at, rule.pattern)) continue;
    kind = rule.kind;
    break;
  }
  return known_.emplace(kernel, kind).first->second;
}

std::string names_of_longest(const std::map<std::string, int64_t>& kernels) {
  std::vector<std::pair<int64_t, std::string>> longest;
  for (const auto& [name, ns] : kernels) longest.emplace_back(ns, name);
  std::sort(longest.rbegin(), longest.rend());
  std::vector<std::string> names;  // each once, though its templates are several kernels
  for (const auto& [ns, name] : longest) {
    const std::string shown = short_name(name);
    if (names.size() < named_kernels && std::ranges::find(names, shown) == names.end()) names.push_back(shown);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace wansweep
