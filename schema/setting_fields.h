// The table of settings: each one's name, meaning, role, bounds and member, and what is made of it: reading and writing
// JSON, and lists by role. Sweeps, flags, specs, labels, comparisons and the database go by this table alone.
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

// What a setting decides. Runs that differ in settings of `offload` alone compute the same.
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

// What the program can do with a number: both ends are allowed, but for `above`, where the least is not. `or_zero`: 0,
// which leaves it to the program, is allowed too.
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
  std::optional<Bounds> bounds = {};  // of numbers: every one has them
  bool resolved = false;              // left open, the model's identity decides it (model_catalog: resolve_settings)
  bool added_later = false;  // not there in the first version: its default is no part of a hash, so that runs of before
                             // keep theirs

  std::vector<std::string_view> choices() const;  // the words that it may be; empty: any value of its type
  bool is_text() const;                           // one that is taken as it is written: no number, no switch, no choice
  bool is_switch() const;                         // true or false
  bool is_path() const;                           // a file or a directory: model, inputs
};

const std::vector<Field>& fields();

// The value that a setting has where nobody set it; null where it is open then. As get_field of RunSettings{}.
const nlohmann::json& default_of(const Field& field);

// nullptr when there is none of that name.
const Field* find_field(std::string_view name);

// Names of the settings of a role, and of those that resolving fills when they are open; in the table's order.
std::vector<std::string_view> settings_of(Role role);
std::vector<std::string_view> resolved_settings();

// Sets one setting from JSON; its origin becomes "user". Throws bad_input naming `where` ("jobs/demo.toml: base"), the
// key, the value and what would be right: unknown key (with the nearest known one), wrong type, a word that is not
// among the choices, a number out of bounds.
void set_field(RunSettings& spec, std::string_view name, const nlohmann::json& value, const std::string& where);

// The setting as JSON; null when it is not set.
nlohmann::json get_field(const RunSettings& spec, const Field& field);

// The setting as a RunSettings{} has it; its origin stays.
void reset_field(RunSettings& spec, const Field& field);

// Throws bad_input, "steps is 0; between 1 and 10000 is needed", when the setting is a number that is set and out of
// its bounds.
void check_bounds(const RunSettings& spec, const Field& field);

// Whole specs: a flat object, a key a setting, plus "origins". `where` is the file's name for errors. Reading refuses
// unknown keys, but for "plan" (schema/run_plan.h) and "probe" (schema/probe/request.h), which it leaves to whoever
// wants them.
nlohmann::json to_json(const RunSettings& spec);
RunSettings settings_from_json(const nlohmann::json& json, const std::string& where);
RunSettings read_settings(const std::string& file);

}  // namespace wansweep
