// The table of settings (name, meaning, role, bounds and member of each), with the functions that use it to read and
// write JSON and to list settings by role. Sweeps, flags, specs, labels, comparisons and the database use this table
// and no other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "schema/run_settings.h"

namespace wansweep {

// What a setting decides. Runs that differ only in settings of role `offload` compute the same latents.
enum class Role : uint8_t {
  work,       // what is computed
  offload,    // how weights move
  placement,  // where it runs
  recording,  // what is recorded
};
constexpr std::string_view name_of(Role role) {
  switch (role) {
    case Role::work:
      return "work";
    case Role::offload:
      return "offload";
    case Role::placement:
      return "placement";
    case Role::recording:
      return "recording";
  }
  return {};
}

// The numbers that a setting allows: from `least` to `most`, both included, or `least` excluded if `above` is set. With
// `or_zero`, 0 is allowed too, and leaves the number to the program.
struct Bounds {
  double least = 0;
  double most = 0;
  bool above = false;
  bool or_zero = false;
};

struct Field {
  template <typename... T>
  using Members = std::variant<T RunSettings::*...>;
  using Member = Members<std::string, int64_t, double, bool, std::optional<std::string>, std::optional<int64_t>,
                         std::optional<double>, OffloadMode, HostMemory, HostStoreKind, Choice, GuidanceOrder,
                         DeviceBudget, BackendKind, Precision, CommunicatorKind, LinkSharing, TraceDetail, ResolverKind,
                         SigmaSchedule, EngineKind>;

  std::string_view name;
  std::string_view help;  // one line
  Role role;
  Member member;
  std::optional<Bounds> bounds = {};  // every number has them
  bool resolved = false;              // when left open, the model's identity decides it (resolve_settings)
  bool added_later = false;  // added after the first version: its default does not count in hashes, so that older runs
  // keep theirs

  std::vector<std::string_view> choices() const;  // the possible words; empty: any value of its type
  bool is_text() const;                           // free text: not a number, a switch or a choice
  bool is_switch() const;                         // true or false
  bool is_path() const;                           // a path: model, inputs
};

const std::vector<Field>& fields();

// The setting's default as JSON (get_field of a RunSettings{}); null when the setting is open by default.
const nlohmann::json& default_of(const Field& field);

// The field called `name`; nullptr when there is none.
const Field* find_field(std::string_view name);

// The names of the settings of a role, and of the settings that resolving fills when they are open; in the table's
// order.
std::vector<std::string_view> settings_of(Role role);
std::vector<std::string_view> resolved_settings();

// Sets one setting from JSON; its origin becomes "user". Throws bad_input naming `where` ("jobs/demo.toml: base"), the
// key, the value and what would be right, for an unknown key (with the nearest known one), a wrong type, a word that is
// not among the choices, or a number out of bounds.
void set_field(RunSettings& spec, std::string_view name, const nlohmann::json& value, const std::string& where);

// The setting as JSON; null when it is not set.
nlohmann::json get_field(const RunSettings& spec, const Field& field);

// Resets the setting to its default; its origin stays.
void reset_field(RunSettings& spec, const Field& field);

// Throws bad_input, "steps is 0; a value between 1 and 10000 is needed", when the setting is a number that is set and
// out of bounds.
void check_bounds(const RunSettings& spec, const Field& field);

// A whole spec as JSON: an object with one key for each setting, and "origins". `where` is the file's name, for errors.
// Reading refuses unknown keys, except "plan" (schema/run_plan.h) and "probe" (schema/probe/request.h), which it
// ignores.
nlohmann::json to_json(const RunSettings& spec);
RunSettings settings_from_json(const nlohmann::json& json, const std::string& where);
RunSettings read_settings(const std::string& file);

}  // namespace wansweep
