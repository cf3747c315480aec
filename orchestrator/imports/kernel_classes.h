// The class of a device kernel, by patterns of its name: first a user's file, then kernel_classes.toml.
#pragma once

#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

enum class KernelClass : uint8_t { attention, product, all_to_all, ring, other };
constexpr std::string_view name_of(KernelClass kind) {
  switch (kind) {
    case KernelClass::attention:
      return "attention";
    case KernelClass::product:
      return "product";
    case KernelClass::all_to_all:
      return "all_to_all";
    case KernelClass::ring:
      return "ring";
    case KernelClass::other:
      return "other";
  }
  return {};
}

// Products and all other computing classes are one kind of event.
EventKind event_kind(KernelClass kind);

class KernelClasses {
 public:
  // The patterns of `file` (empty: none), followed by those that come with wansweep. Throws bad_input naming the file
  // and the line, for an unknown key, an unknown class, or a pattern that is not a regular expression.
  explicit KernelClasses(const std::string& file = "");

  // The class of a kernel; nullopt when it matches no pattern. Caches answers: traces have millions of kernels with few
  // names. One thread may call it.
  std::optional<KernelClass> find(const std::string& kernel);

 private:
  struct Rule {
    std::regex pattern;
    KernelClass kind;
  };
  void add(const std::string& text, const std::string& name);

  std::vector<Rule> rules_;
  std::unordered_map<std::string, std::optional<KernelClass>> known_;
};

// The names of the kernels that took longest, without types and parameters: "fill_kernel, laswp". `kernels`: ns by
// name.
std::string names_of_longest(const std::map<std::string, int64_t>& kernels);

}  // namespace wansweep
