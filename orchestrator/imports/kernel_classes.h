// What a kernel of the device does, by patterns of its name (kernel_classes.toml, which a user's file goes before).
#pragma once

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

// Products and all else that computes are one kind of event.
EventKind event_kind(KernelClass kind);

class KernelClasses {
 public:
  // The patterns that came with wansweep, after those of `file` (empty: none). Throws bad_input naming the file and the
  // line: a key that there is not, a class with the nearest known one, a pattern that is no regular expression.
  explicit KernelClasses(const std::string& file = "");

  // nullopt: no pattern knows it. Remembers its answers: traces have millions of kernels, of few names.
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

}  // namespace wansweep
