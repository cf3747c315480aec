// Decides from its files which model a path holds:
//   boundary_ratio and transformer_2 present: A14B; 16 input channels text to video, 36 image to video
//   expand_timesteps, or 48 channels: TI2V-5B
//   one expert, 16 channels: Wan2.1, by its number of heads

#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/downloaded_file.h"
#include "base/error.h"
#include "base/json.h"
#include "schema/foreign_model.h"
#include "schema/model_catalog.h"

namespace wansweep {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Whether model_index.json names the component: an absent one may also be written as null or [null, null].
bool has_component(const json& index, const char* name) {
  if (!index.contains(name) || index[name].is_null()) return false;
  return !(index[name].is_array() && !index[name].empty() && index[name].front().is_null());
}

std::optional<double> number_in(const json& object, const char* name, const fs::path& file) {
  if (!object.contains(name) || object[name].is_null()) return std::nullopt;
  if (!object[name].is_number()) {
    throw bad_input(fmt::format("{}: {} is {}; a number is needed", file.string(), name, object[name].dump()));
  }
  return object[name].get<double>();
}

// For a custom pipeline, diffusers writes a list: [its file, its class].
std::string class_name_in(const json& index, const fs::path& file) {
  const json name = index.value("_class_name", json());
  if (name.is_string()) return name.get<std::string>();
  constexpr const char* wanted = "\"WanPipeline\" or \"WanImageToVideoPipeline\"";
  if (name.is_null()) throw bad_input(fmt::format("{}: _class_name is missing; {} is needed", file.string(), wanted));
  throw bad_input(fmt::format(
      "{}: _class_name is {}{}; {} is needed: set it to the pipeline class that the transformers are made for",
      file.string(), name.is_array() ? "a list (a custom pipeline), " : "", name.dump(), wanted));
}

struct Layout {
  std::string class_name;
  ModelConfig config;
  bool two_experts = false;
  bool expand_timesteps = false;
};

struct Verdict {
  const char* id;
  std::string rule;
};

std::optional<Verdict> decide(const Layout& layout) {
  const int in = layout.config.in_channels;
  const bool text = layout.class_name == "WanPipeline";
  const bool image = layout.class_name == "WanImageToVideoPipeline";
  if (layout.two_experts && text && in == 16)
    return Verdict{"t2v-a14b", "two experts with a boundary, 16 input channels"};
  if (layout.two_experts && image && in == 36)
    return Verdict{"i2v-a14b", "two experts with a boundary, 36 input channels"};
  if (!layout.two_experts && text && (layout.expand_timesteps || in == 48)) {
    return Verdict{"ti2v-5b",
                   layout.expand_timesteps ? "one expert, expand_timesteps" : "one expert, 48 input channels"};
  }
  if (!layout.two_experts && text && in == 16 && layout.config.heads == 12)
    return Verdict{"wan2.1-t2v-1.3b", "one expert, 12 heads"};
  if (!layout.two_experts && text && in == 16 && layout.config.heads == 40)
    return Verdict{"wan2.1-t2v-14b", "one expert, 40 heads"};
  return std::nullopt;
}

ModelConfig expert_config(const fs::path& root, const char* expert, std::vector<std::string>& looked_at) {
  const fs::path file = root / expert / "config.json";
  looked_at.push_back(file.string());
  if (!is_there(file.string())) {
    throw bad_input(fmt::format("{}: names the expert {}, but {} {}", (root / "model_index.json").string(), expert,
                                file.string(), why_missing(file.string())));
  }
  return read_model_config(file.string());
}

ModelIdentity identify_directory(const fs::path& root) {
  ModelIdentity model;
  const fs::path index_file = root / "model_index.json";
  model.looked_at.push_back(index_file.string());
  const std::optional<json> found = read_json_object_if_there(index_file.string());
  if (!found) throw bad_input(why_no_model(root.string()));
  const json& index = *found;
  Layout layout;
  layout.class_name = class_name_in(index, index_file);
  layout.expand_timesteps = index.value("expand_timesteps", json(false)) == json(true);
  model.file_boundary_ratio = number_in(index, "boundary_ratio", index_file);
  layout.config = expert_config(root, "transformer", model.looked_at);
  const bool second = has_component(index, "transformer_2");
  if (second != model.file_boundary_ratio.has_value()) {
    throw bad_input(fmt::format("{}: has {} but no {}; a model of two experts needs both", index_file.string(),
                                second ? "transformer_2" : "boundary_ratio",
                                second ? "boundary_ratio" : "transformer_2"));
  }
  if (second && !(expert_config(root, "transformer_2", model.looked_at) == layout.config)) {
    throw bad_input(fmt::format("{}: transformer and transformer_2 have different sizes", root.string()));
  }
  layout.two_experts = second;
  const fs::path scheduler = root / "scheduler" / "scheduler_config.json";
  model.looked_at.push_back(scheduler.string());
  if (const std::optional<json> settings = read_json_object_if_there(scheduler.string())) {
    model.file_flow_shift = number_in(*settings, "flow_shift", scheduler);
  }

  const std::optional<Verdict> verdict = decide(layout);
  if (!verdict) {
    throw bad_input(fmt::format("{}: unknown model layout ({}, {} input channels, {} heads, {}); looked at {}",
                                root.string(), layout.class_name, layout.config.in_channels, layout.config.heads,
                                second ? "two experts" : "one expert", fmt::join(model.looked_at, ", ")));
  }
  model.entry = &catalog_entry(verdict->id);
  model.config = layout.config;
  model.two_experts = layout.two_experts;
  model.rule = fmt::format("model_index.json says {}; {}", layout.class_name, verdict->rule);
  return model;
}

}  // namespace

ModelIdentity identify_model(const std::string& path, const std::string& declared_id) {
  ModelIdentity model;
  const CatalogEntry* declared = declared_id.empty() ? nullptr : &catalog_entry(declared_id);
  std::error_code unreadable;
  const bool is_file = fs::is_regular_file(path, unreadable);
  if (is_file) refuse_checkpoint(path);
  if (path.empty() || is_file) {
    if (declared == nullptr) {
      throw bad_input(
          path.empty() ? "model and model_id are not set; set one of them"
                       : fmt::format("{}: a config.json alone does not tell which model this is; set model_id", path));
    }
    model.entry = declared;
    model.two_experts = declared->two_experts;
    model.config = path.empty() ? declared->config : read_model_config(path);
    model.rule = path.empty() ? "the declared id alone" : "the declared id; sizes from the config.json";
    if (!path.empty()) model.looked_at.push_back(path);
    if (model.config.in_channels != declared->config.in_channels) {
      throw bad_input(fmt::format("{}: the model has {} input channels, but model_id {} has {}", path,
                                  model.config.in_channels, declared_id, declared->config.in_channels));
    }
  } else {
    if (!fs::is_directory(path, unreadable)) throw bad_input(why_no_model(path));
    model = identify_directory(fs::path(path).lexically_normal());
    if (declared != nullptr && declared != model.entry) {
      throw bad_input(fmt::format("{}: model_id is {}, but the files are those of {} ({})", path, declared_id,
                                  model.entry->id, model.rule));
    }
  }
  model.same_size = model.config == model.entry->config;
  if (!model.same_size) model.rule += fmt::format("; the layout of {} at another size", model.entry->id);
  return model;
}

}  // namespace wansweep
