// Each check is cheap (names in one directory, the first bytes of a file), and a file that cannot be read gives no
// hint: the caller has an error to report already. The order of the checks matters when a directory shows two signs:
// the hub's cache comes first, since a model lies inside it; single weight files come last, since other layouts have
// them too.

#include "schema/foreign_model.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/downloaded_file.h"
#include "base/error.h"
#include "base/json.h"
#include "schema/model_catalog.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view wanted =
    "a model directory in diffusers layout is needed, such as a download of Wan-AI/Wan2.2-T2V-A14B-Diffusers";

std::string first_bytes(const std::string& file) {
  std::string start(64, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(stream.gcount()));
  return start;
}

// The kind of checkpoint that the first bytes of `file` show; empty when they show none.
std::string checkpoint_kind(const std::string& file) {
  const std::string start = first_bytes(file);
  refuse_lfs_pointer(start, file);
  if (start.starts_with("GGUF")) return "a GGUF file (quantised weights)";
  if (start.size() > 8 && start[8] == '{' && start[0] != '{' && start[7] == '\0') {
    return "a single-file checkpoint (safetensors)";
  }
  if (start.starts_with("PK\003\004") || start.starts_with("\x80\x02")) return "a checkpoint of PyTorch's own format";
  return "";
}

// The sorted names in a directory; empty when it cannot be read.
std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

bool has_index(const fs::path& directory) { return is_there((directory / "model_index.json").string()); }

// A field of a JSON file; null when the file or the field does not exist.
json field_of(const fs::path& file, const char* field) {
  try {
    const std::optional<json> object = read_json_object_if_there(file.string());
    return object ? object->value(field, json()) : json();
  } catch (const Error&) {
    return {};
  }
}

// The snapshot that the hub's cache calls main, or else the last by name; empty when there is none.
std::string snapshot_in(const fs::path& cache) {
  const std::vector<std::string> snapshots = names_in(cache / "snapshots");
  std::string main;
  std::ifstream(cache / "refs" / "main") >> main;
  if (std::ranges::find(snapshots, main) != snapshots.end()) return main;
  return snapshots.empty() ? "" : snapshots.back();
}

// The hub repository that has the same model in diffusers layout, found by the original layout's config.json.
std::string published_as(const fs::path& config_file, bool two_experts) {
  const json type = field_of(config_file, "model_type");
  const json dim = field_of(config_file, "dim");
  const char* id = nullptr;
  if (two_experts) {
    id = type == "t2v" ? "t2v-a14b" : type == "i2v" ? "i2v-a14b" : nullptr;
  } else if (type == "ti2v") {
    id = "ti2v-5b";
  } else if (type == "t2v" && dim.is_number_integer()) {
    id = dim == 1536 ? "wan2.1-t2v-1.3b" : "wan2.1-t2v-14b";
  }
  return id != nullptr ? catalog_entry(id).hub_name : "the repository of the same name with -Diffusers at its end";
}

// What the directory is, if it is not a model, and what to give instead; empty when it shows no known sign.
std::string directory_kind(const fs::path& root) {
  const std::vector<std::string> names = names_in(root);
  const auto has = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  const auto ending = [&](std::string_view end) {
    const auto found = std::ranges::find_if(names, [&](const std::string& name) { return name.ends_with(end); });
    return found == names.end() ? std::string() : *found;
  };
  if (has("snapshots")) {
    const std::string snapshot = snapshot_in(root);
    if (snapshot.empty()) return "is a Hugging Face cache folder without a snapshot; download the model again";
    return fmt::format("is a Hugging Face cache folder; give the snapshot in it: {}",
                       (root / "snapshots" / snapshot).string());
  }
  for (const std::string& name : names) {
    if (name.starts_with("models--")) {
      return fmt::format("is the Hugging Face cache of several models; give a snapshot in it: {}",
                         (root / name / "snapshots" / snapshot_in(root / name)).string());
    }
    if (has_index(root / name)) return fmt::format("holds a model in {}; give that directory", (root / name).string());
  }
  if (has("high_noise_model") || has("low_noise_model")) {
    return fmt::format("has Wan's original layout (high_noise_model); give the model in diffusers layout: {}",
                       published_as(root / "high_noise_model" / "config.json", true));
  }
  const json class_name = field_of(root / "config.json", "_class_name");
  if (class_name == "WanModel" || !ending(".pth").empty()) {
    return fmt::format("has Wan's original layout ({}); give the model in diffusers layout: {}",
                       class_name == "WanModel" ? "WanModel in config.json" : ending(".pth"),
                       published_as(root / "config.json", false));
  }
  if (class_name == "WanTransformer3DModel") {
    return "is one expert of a model; give the directory above it, which holds model_index.json";
  }
  for (const char* end : {".gguf", ".safetensors"}) {
    const std::string name = ending(end);
    if (name.empty()) continue;
    const std::string kind = checkpoint_kind((root / name).string());
    return fmt::format("{} is {}; {}", name, kind.empty() ? "a single file" : kind, wanted);
  }
  return "";
}

}  // namespace

void refuse_checkpoint(const std::string& file) {
  const std::string kind = checkpoint_kind(file);
  if (!kind.empty()) throw bad_input(fmt::format("{}: is {}; {}", file, kind, wanted));
}

std::string why_no_model(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    const fs::file_status itself = fs::symlink_status(path, error);
    if (itself.type() == fs::file_type::symlink) return fmt::format("{}: {}", path, why_missing(path));
    for (const CatalogEntry& entry : catalog()) {
      if (!path.ends_with(entry.hub_name)) continue;
      return fmt::format(
          "{}: no such model directory; {} is a name on Hugging Face: download the model and give its directory", path,
          entry.hub_name);
    }
    return fmt::format("{}: no such model directory; link your checkpoint there, or give its own directory", path);
  }
  if (error) return fmt::format("{}: cannot be read: {}", path, error.message());
  if (status.type() != fs::file_type::directory) return fmt::format("{}: is not a directory; {}", path, wanted);
  const std::string index = (fs::path(path) / "model_index.json").string();
  const fs::file_status link = fs::symlink_status(index, error);
  if (link.type() == fs::file_type::symlink) return fmt::format("{}: {}", index, why_missing(index));
  const std::string kind = directory_kind(path);
  if (!kind.empty()) return fmt::format("{}: {}", path, kind);
  return fmt::format("{}: unknown model layout; looked for {}", path, index);
}

}  // namespace wansweep
