// Names of an enum's values, for settings, files and messages. An enum class of values 0, 1, 2, ... has them as soon as
//
//   constexpr std::string_view name_of(Colour colour) {
//     switch (colour) { case Colour::red: return "red"; ... }   // no default: the compiler names what is missing
//     return {};                                                 // no value of the enum
//   }
//
// stands beside it. That switch is the only table of the names; the functions below read it.
#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wansweep {

template <typename E>
concept NamedEnum = std::is_enum_v<E> && requires(E value) {
  { name_of(value) } -> std::same_as<std::string_view>;
};

// All values, in order.
template <NamedEnum E>
std::vector<E> values_of() {
  std::vector<E> values;
  for (int i = 0; !name_of(static_cast<E>(i)).empty(); ++i) values.push_back(static_cast<E>(i));
  return values;
}

template <NamedEnum E>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  for (const E value : values_of<E>()) names.push_back(name_of(value));
  return names;
}

// The value called `name`; nullopt when there is none.
template <NamedEnum E>
constexpr std::optional<E> value_named(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (int i = 0; !name_of(static_cast<E>(i)).empty(); ++i) {
    if (name_of(static_cast<E>(i)) == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace wansweep
