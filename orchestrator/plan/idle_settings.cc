#include "orchestrator/plan/idle_settings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "schema/setting_fields.h"

namespace wansweep {
namespace {

class Finder {
 public:
  explicit Finder(const RunSettings& settings) : settings_(settings) {}
  void add(std::string_view name, std::string why) {
    if (is_given(settings_, name)) found.push_back({name, std::move(why)});
  }
  std::vector<IdleSetting> found;

 private:
  const RunSettings& settings_;
};

// What the model and the inputs make of settings of the loop.
void find_of_the_work(const RunPlan& run, Finder& finder) {
  const RunSettings& settings = run.settings;
  if (!settings.inputs.empty()) finder.add("seed", "inputs gives the latents and the embeddings");
  if (!run.model.two_experts) {
    finder.add("boundary_ratio", "the model has one expert");
    finder.add("guidance_scale_2", "the model has one expert");
  } else if (!run.guided) {
    finder.add("guidance_scale_2", fmt::format("guidance_scale {:g} turns guidance off", *settings.guidance_scale));
  }
  if (!run.activations.both_forwards) finder.add("guidance_order", "each rank runs only one forward in a step");
}

void find_of_offload(const RunPlan& run, Finder& finder) {
  const RunSettings& settings = run.settings;
  const std::string_view mode = name_of(settings.offload);
  if (settings.offload != OffloadMode::layerwise) {
    finder.add("prefetch", fmt::format("offload is {}, and only layerwise fetches blocks ahead by it", mode));
  }
  if (settings.offload != OffloadMode::planned) {
    finder.add("device_budget", fmt::format("offload is {}, and only planned has block slots to size", mode));
  }
  if (run.moved.in_loop == 0) {
    const std::string why = fmt::format("with offload {} no weights are copied while the loop runs", mode);
    for (const char* name : {"host_store", "chunk_bytes", "yield_to_collectives", "cooperative"}) finder.add(name, why);
    return;
  }
  if (run.parallel.ulysses * run.parallel.ring == 1) {
    finder.add("yield_to_collectives", "no tokens are exchanged: ulysses and ring are 1");
  }
  if (settings.ranks == 1) finder.add("cooperative", "there is one rank");
}

void find_of_placement(const RunSettings& settings, Finder& finder) {
  switch (settings.backend) {
    case BackendKind::cpu:
      finder.add("share_device", "backend is cpu, whose ranks have a device each");
      break;
    case BackendKind::cuda:
      finder.add("link_bandwidth", "backend is cuda, whose link is the machine's");
      finder.add("link", "backend is cuda, whose link is the machine's");
      break;
  }
}

}  // namespace

bool is_given(const RunSettings& settings, std::string_view name) {
  const auto origin = settings.origins.find(std::string(name));
  if (origin == settings.origins.end() || origin->second.origin != "user") return false;
  const Field& field = *find_field(name);
  return get_field(settings, field) != default_of(field);
}

std::vector<IdleSetting> idle_settings(const RunPlan& run) {
  if (run.settings.engine != EngineKind::wansweep) return {};
  Finder finder(run.settings);
  find_of_the_work(run, finder);
  find_of_offload(run, finder);
  find_of_placement(run.settings, finder);
  return std::move(finder.found);
}

std::string to_warning(const RunSettings& settings, const IdleSetting& idle) {
  const nlohmann::json value = get_field(settings, *find_field(idle.name));
  return fmt::format("{} {} has no effect here: {}", idle.name,
                     value.is_string() ? value.get<std::string>() : value.dump(), idle.why);
}

}  // namespace wansweep
