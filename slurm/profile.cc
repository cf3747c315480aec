// One table of keys says how each is read from TOML and written to JSON. Values for #SBATCH lines are checked here,
// once, because such a line has no quoting that works for every character.

#include "slurm/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/error.h"
#include "base/files.h"
#include "base/formats/toml.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/share_folder.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Profile = ClusterProfile;

enum class Kind {
  slurm_word,  // a value for an #SBATCH line
  text,
  duration,
  count,
};

constexpr int64_t most_count = 1'000'000'000;      // of anything: seconds, MiB, nodes; a product of two still fits
constexpr int64_t most_seconds_of_notice = 65535;  // the largest N in Slurm's --signal=...@N

struct Key {
  std::string_view name;
  Kind kind;
  std::variant<std::string Profile::*, int64_t Profile::*, double Profile::*, std::vector<std::string> Profile::*,
               std::map<std::string, std::string> Profile::*, RankLauncher Profile::*, CoreBinding Profile::*>
      member;
};

const std::vector<Key>& keys() {
  static const std::vector<Key> table{
      {"cluster", Kind::slurm_word, &Profile::cluster},
      {"partition", Kind::slurm_word, &Profile::partition},
      {"account", Kind::slurm_word, &Profile::account},
      {"qos", Kind::slurm_word, &Profile::qos},
      {"constraint", Kind::slurm_word, &Profile::constraint},
      {"gres", Kind::slurm_word, &Profile::gres},
      {"exclude", Kind::slurm_word, &Profile::exclude},
      {"gpus_per_node", Kind::count, &Profile::gpus_per_node},
      {"cores_per_node", Kind::count, &Profile::cores_per_node},
      {"memory_per_node", Kind::count, &Profile::memory_per_node},
      {"max_nodes", Kind::count, &Profile::max_nodes},
      {"time_limit", Kind::duration, &Profile::time_limit},
      {"array_limit", Kind::count, &Profile::array_limit},
      {"machine", Kind::text, &Profile::machine},
      {"teraflops_per_rank", Kind::count, &Profile::teraflops_per_rank},
      {"startup_seconds", Kind::count, &Profile::startup_seconds},
      {"shortest_time", Kind::duration, &Profile::shortest_time},
      {"host_memory_per_rank", Kind::count, &Profile::host_memory_per_rank},
      {"launcher", Kind::text, &Profile::launcher},
      {"mpi", Kind::slurm_word, &Profile::mpi},
      {"binding", Kind::text, &Profile::binding},
      {"modules", Kind::text, &Profile::modules},
      {"container", Kind::text, &Profile::container},
      {"environment", Kind::text, &Profile::environment},
      {"scratch", Kind::text, &Profile::scratch},
      {"engine_setup", Kind::text, &Profile::engine_setup},
      {"engine_container", Kind::text, &Profile::engine_container},
      {"sglang", Kind::text, &Profile::sglang},
      {"engine_python", Kind::text, &Profile::engine_python},
      {"signal_before_end", Kind::count, &Profile::signal_before_end},
      {"poll_seconds", Kind::count, &Profile::poll_seconds},
      {"lost_seconds", Kind::count, &Profile::lost_seconds},
      {"command_timeout", Kind::count, &Profile::command_timeout},
  };
  return table;
}

std::string where_of(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

std::string text_of(const toml::node& node, const Key& key, const std::string& file) {
  const auto text = node.value<std::string>();
  if (!text || !node.is_string()) throw bad_input(fmt::format("{}: {} must be text", where_of(file, node), key.name));
  if (text->find('\0') != std::string::npos) {
    throw bad_input(
        fmt::format("{}: {} holds a NUL character, which a script cannot contain", where_of(file, node), key.name));
  }
  if (key.kind == Kind::slurm_word) check_slurm_word(*text, key.name, where_of(file, node));
  return *text;
}

template <class Number>
Number number_of(const toml::node& node, const Key& key, const std::string& file) {
  const auto number = node.value<Number>();
  // The condition is written so that NaN is refused too.
  if (!number || !node.is_number() || !(*number >= 0 && *number <= static_cast<Number>(most_count))) {
    throw bad_input(fmt::format("{}: {} must be a number from 0 to {}", where_of(file, node), key.name, most_count));
  }
  return *number;
}

struct Setter {
  Profile& profile;
  const Key& key;
  const toml::node& node;
  const std::string& file;

  void operator()(std::string Profile::*member) const { profile.*member = text_of(node, key, file); }
  void operator()(double Profile::*member) const { profile.*member = number_of<double>(node, key, file); }
  void operator()(int64_t Profile::*member) const {
    if (key.kind == Kind::count) {
      profile.*member = number_of<int64_t>(node, key, file);
      return;
    }
    const std::string text = text_of(node, key, file);
    const int64_t seconds = parse_duration(text);
    if (seconds <= 0) {
      throw bad_input(fmt::format("{}: {} is {}; a duration such as \"1:30:00\" or \"2-00:00:00\" is needed",
                                  where_of(file, node), key.name, Json(text).dump()));
    }
    profile.*member = seconds;
  }
  template <NamedEnum E>
  void operator()(E Profile::*member) const {
    const std::string text = text_of(node, key, file);
    const std::optional<E> value = value_named<E>(text);
    if (!value) {
      throw bad_input(fmt::format("{}: {} is {}; possible values: {}", where_of(file, node), key.name,
                                  Json(text).dump(), fmt::join(names_of<E>(), ", ")));
    }
    profile.*member = *value;
  }
  void operator()(std::vector<std::string> Profile::*member) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) throw bad_input(fmt::format("{}: {} must be a list", where_of(file, node), key.name));
    for (const toml::node& each : *list) (profile.*member).push_back(text_of(each, key, file));
  }
  void operator()(std::map<std::string, std::string> Profile::*member) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) throw bad_input(fmt::format("{}: {} must be a table", where_of(file, node), key.name));
    for (const auto& [name, value] : *table) {
      const std::string variable(name.str());
      if (variable.empty() || variable.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                                         "0123456789") != std::string::npos) {
        throw bad_input(
            fmt::format("{}: {} is not a valid name of an environment variable", where_of(file, value), variable));
      }
      (profile.*member)[variable] = text_of(value, key, file);
    }
  }
};

void check(const Profile& profile) {
  for (const auto& [key, value] : {std::pair{"gpus_per_node", profile.gpus_per_node},
                                   {"cores_per_node", profile.cores_per_node},
                                   {"memory_per_node", profile.memory_per_node},
                                   {"max_nodes", profile.max_nodes},
                                   {"time_limit", profile.time_limit},
                                   {"array_limit", profile.array_limit},
                                   {"command_timeout", profile.command_timeout}}) {
    if (value < 1) throw bad_input(fmt::format("{}: {} is missing or below 1; set it to 1 or more", profile.file, key));
  }
  if (!(profile.teraflops_per_rank > 0)) throw bad_input(profile.file + ": teraflops_per_rank must be above 0");
  if (profile.signal_before_end > most_seconds_of_notice) {
    throw bad_input(fmt::format("{}: signal_before_end is {}; Slurm allows at most {}", profile.file,
                                profile.signal_before_end, most_seconds_of_notice));
  }
  if (!profile.container.empty() && !profile.modules.empty()) {
    throw bad_input(
        fmt::format("{}: container and modules are both set; remove modules, since the image brings its own libraries",
                    profile.file));
  }
  if (profile.cluster.find(',') != std::string::npos || profile.cluster == "all") {
    throw bad_input(fmt::format("{}: cluster is {}; give the name of one cluster", profile.file, profile.cluster));
  }
}

// Slurm's own programs follow these variables. wansweep reads them once and then names the cluster to each program, so
// that a later shell asks the same cluster.
void take_cluster_of_environment(Profile& profile) {
  if (!profile.cluster.empty()) return;
  for (const char* variable : {"SBATCH_CLUSTERS", "SLURM_CLUSTERS"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    const std::string cluster = value;
    if (cluster.find(',') != std::string::npos || cluster == "all") {
      throw bad_input(
          fmt::format("{} is {}, but a sweep is submitted to one cluster; name it in {} with cluster = \"...\"",
                      variable, cluster, profile.file));
    }
    check_slurm_word(cluster, variable, "environment");
    profile.cluster = cluster;
    return;
  }
}

// The folders in which NAME.toml is searched; the second holds the profiles that come with wansweep.
std::vector<fs::path> profile_folders() { return {"slurm", fs::path(share_folder()) / "slurm"}; }

std::string known_profiles() {
  std::vector<std::string> names;
  for (const fs::path& folder : profile_folders()) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool is_slurm_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:,=+@&|*-[]").find(c) != std::string_view::npos;
  });
}

void check_slurm_word(const std::string& text, std::string_view key, const std::string& where) {
  if (is_slurm_word(text)) return;
  throw bad_input(fmt::format("{}: {} is {}; only letters, digits and _.:,=+@&|*-[] are possible there", where, key,
                              Json(text).dump(-1, ' ', true, Json::error_handler_t::replace)));
}

ClusterProfile parse_profile(const std::string& text, const std::string& file) {
  const toml::table table = parse_toml(text, file);
  std::vector<std::string_view> names;
  for (const Key& key : keys()) names.push_back(key.name);
  Profile profile;
  profile.file = file;
  profile.name = fs::path(file).stem().string();
  for (const auto& [name, node] : table) {
    const auto key =
        std::find_if(keys().begin(), keys().end(), [&name = name](const Key& k) { return k.name == name.str(); });
    if (key == keys().end()) {
      const std::string nearest = nearest_name(name.str(), names);
      throw bad_input(fmt::format("{}: unknown key {}{}", where_of(file, node), Json(std::string(name.str())).dump(),
                                  nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
    }
    std::visit(Setter{profile, *key, node, file}, key->member);
  }
  check(profile);
  return profile;
}

ClusterProfile read_profile(const std::string& name) {
  std::vector<fs::path> candidates{name};
  if (!name.ends_with(".toml") && name.find('/') == std::string::npos) {
    candidates.clear();
    for (const fs::path& folder : profile_folders()) candidates.push_back(folder / (name + ".toml"));
  }
  for (const fs::path& file : candidates) {
    const std::optional<std::string> text = read_text_if_there(file.string());
    if (!text) continue;
    Profile profile = parse_profile(*text, file.string());
    take_cluster_of_environment(profile);
    return profile;
  }
  throw bad_input(
      fmt::format("cluster {}: no such profile; give one of {}, or the path of a .toml file", name, known_profiles()));
}

std::string profile_to_json(const ClusterProfile& profile) {
  Json json{{"name", profile.name}, {"file", profile.file}};
  const auto plain = [](const auto& value) -> Json {
    if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
      return name_of(value);
    } else {
      return value;
    }
  };
  for (const Key& key : keys()) {
    std::visit([&](auto member) { json[std::string(key.name)] = plain(profile.*member); }, key.member);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

ClusterProfile profile_from_json(const std::string& text, const std::string& where) {
  const Json json = parse_json_object(text, where);
  try {
    Profile profile;
    profile.name = json.at("name");
    profile.file = json.at("file");
    const auto set = [&where]<class T>(T& value, const Json& found, std::string_view key) {
      if constexpr (std::is_enum_v<T>) {
        const std::optional<T> named = value_named<T>(found.get<std::string>());
        if (!named) throw bad_input(fmt::format("{}: {} is {}", where, key, found.dump()));
        value = *named;
      } else {
        found.get_to(value);
      }
    };
    for (const Key& key : keys()) {
      const auto found = json.find(std::string(key.name));
      if (found == json.end()) continue;  // an older wansweep wrote it, without this key
      std::visit([&](auto member) { set(profile.*member, *found, key.name); }, key.member);
    }
    return profile;
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a cluster profile: {}", where, json_problem(error)));
  }
}

int64_t parse_duration(const std::string& text) {
  if (text == "UNLIMITED" || text == "infinite") return 0;
  std::vector<int64_t> parts;
  const size_t dash = text.find('-');
  std::istringstream stream(dash == std::string::npos ? text : text.substr(dash + 1));
  for (std::string part; std::getline(stream, part, ':');) {
    if (part.empty() || part.size() > 6 || part.find_first_not_of("0123456789") != std::string::npos) return -1;
    parts.push_back(std::stoll(part));
  }
  if (parts.empty() || parts.size() > 3) return -1;
  if (dash != std::string::npos) {
    const std::string days = text.substr(0, dash);
    if (days.empty() || days.size() > 4 || days.find_first_not_of("0123456789") != std::string::npos) return -1;
    parts.resize(3);  // days-hours[:minutes[:seconds]]
    return ((std::stoll(days) * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
  }
  if (parts.size() == 3) return (parts[0] * 60 + parts[1]) * 60 + parts[2];
  return parts[0] * 60 + (parts.size() == 2 ? parts[1] : 0);  // minutes[:seconds]
}

std::string format_duration(int64_t seconds) {
  return fmt::format("{}-{:02}:{:02}:{:02}", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

}  // namespace wansweep
