// Translates a sweep's settings to SGLang's flags. A flag is written only if the release has it; when a setting needs a
// flag that the release does not have, the run is refused, so that no setting is dropped silently. Each flag is written
// even when it equals SGLang's default, because defaults differ between releases, GPUs and model paths, which misled
// the study.
//
// Offload: releases before 0.5.18 have the two switches --dit-cpu-offload and --dit-layerwise-offload, which exclude
// each other; later ones have --component-residency. Warm-up: if the release has a flag for it, a first request like
// the measured one is made; SGLang's figures are of the second request.

#include "orchestrator/engines/sglang_command.h"

#include <fmt/format.h>

#include "base/error.h"
#include "orchestrator/engines/followed_settings.h"
#include "orchestrator/engines/sglang_versions.h"

namespace wansweep {
namespace {

std::string span_text(std::string_view flag) {
  const std::optional<FlagSpan> span = span_of(flag);
  return span ? fmt::format("{} to {} have it", span->first, span->last) : "every release has it";
}

void need(const SglangVersion& version, std::string_view flag, const std::string& setting) {
  if (version.has(flag)) return;
  throw bad_input(fmt::format("{}, but SGLang {} has no flag {} ({})", setting, version.text(), flag, span_text(flag)));
}

void check_offload(const SglangVersion& version, const RunSettings& settings) {
  switch (settings.offload) {
    case OffloadMode::resident:
    case OffloadMode::swap:
      return;
    case OffloadMode::layerwise:
      need(version, "--dit-layerwise-offload", "offload is layerwise");
      if (settings.prefetch != 0) {
        need(version, "--dit-offload-prefetch-size", fmt::format("prefetch is {:g}", settings.prefetch));
      }
      return;
    case OffloadMode::snapshot:
      if (version.has_snapshot()) return;
      throw bad_input(fmt::format(
          "offload is snapshot, but SGLang {} has no snapshot-offload (0.5.20 and later have it)", version.text()));
    case OffloadMode::planned:
      break;
  }
  throw bad_input(
      fmt::format("offload is {}; SGLang has only resident, swap, layerwise and snapshot", name_of(settings.offload)));
}

class Arguments {
 public:
  explicit Arguments(const SglangVersion& version) : version_(version) {}

  template <typename T>
  void add(std::string_view flag, const T& value) {
    list.emplace_back(flag);
    list.push_back(fmt::format("{}", value));
  }
  template <typename T>
  void add_if_there(std::string_view flag, const T& value) {
    if (version_.has(flag)) add(flag, value);
  }

  std::vector<std::string> list;

 private:
  const SglangVersion& version_;
};

void add_offload(Arguments& arguments, const SglangVersion& version, const RunSettings& settings) {
  const bool layerwise = settings.offload == OffloadMode::layerwise;
  if (version.has("--component-residency")) {
    arguments.add("--component-residency", fmt::format("dit={}", residency_of(settings.offload)));
  } else {
    arguments.add("--dit-cpu-offload", settings.offload == OffloadMode::swap);
    arguments.add_if_there("--dit-layerwise-offload", layerwise);
  }
  if (layerwise) arguments.add_if_there("--dit-offload-prefetch-size", settings.prefetch);
  arguments.add("--pin-cpu-memory", settings.host_memory == HostMemory::pinned);
}

void add_warm_up(Arguments& arguments, const SglangVersion& version) {
  if (version.has("--warmup-mode")) {
    arguments.add("--warmup-mode", "request");
  } else {
    arguments.add_if_there("--warmup", true);
  }
}

// The model's path as it was given, since SGLang looks at its name.
std::string path_given(const RunSettings& settings) {
  const std::string written = written_path(settings, "model");
  return written.empty() ? settings.model : written;
}

// The value of --model-id, which tells SGLang the model independently of the path; empty with a resolver of SGLang,
// which asks for what the path alone gives.
std::string model_id_for(const RunPlan& plan, const SglangVersion& version) {
  if (plan.settings.resolver != ResolverKind::files || !version.has("--model-id")) return "";
  const std::string& hub_name = plan.model.entry->hub_name;
  return hub_name.substr(hub_name.find('/') + 1);
}

// A line like that of `wansweep resolve`. Flags give everything that the settings decide; the rest (the negative
// prompt, the precisions) comes from SGLang's configuration.
void note_path(const RunPlan& plan, const SglangVersion& version, std::vector<std::string>& notes) {
  const std::string path = path_given(plan.settings);
  const SglangVerdict verdict = sglang_release_verdict(std::string(version.text()), path, model_id_for(plan, version));
  if (verdict.flow_shift == plan.model.entry->flow_shift) return;
  notes.push_back(
      fmt::format("SGLang {} treats {} as {} ({}): flags give flow_shift, steps, size and guidance; everything "
                  "else comes from that configuration",
                  version.text(), path, verdict.config.empty() ? "no model" : verdict.config, verdict.rule));
}

}  // namespace

std::vector<std::string> check_sglang(const RunPlan& plan) {
  const RunSettings& settings = plan.settings;
  const SglangVersion version(settings.engine_version);
  if (settings.backend != BackendKind::cuda) {
    throw bad_input(fmt::format("backend is {}; engine sglang needs cuda", name_of(settings.backend)));
  }
  if (settings.weights != "files") {
    throw bad_input(fmt::format("weights is {}; engine sglang needs files", settings.weights));
  }
  if (settings.sigma_schedule != SigmaSchedule::sglang) {
    throw bad_input(fmt::format("sigma_schedule is {}; engine sglang needs sigma_schedule sglang",
                                name_of(settings.sigma_schedule)));
  }
  check_offload(version, settings);
  const bool two_scales = settings.guidance_scale_2 && *settings.guidance_scale_2 != *settings.guidance_scale;
  if (two_scales && plan.model.two_experts) {
    need(version, "--guidance-scale-2",
         fmt::format("guidance_scale_2 is {:g} and guidance_scale is {:g}", *settings.guidance_scale_2,
                     *settings.guidance_scale));
  }
  const int heads = plan.model.config.heads;
  if (heads % plan.parallel.ulysses != 0) {
    throw bad_input(fmt::format("ulysses is {}; engine sglang needs a divisor of the model's {} heads",
                                plan.parallel.ulysses, heads));
  }

  std::vector<std::string> notes;
  const int64_t shares = int64_t{plan.parallel.ulysses} * plan.parallel.ring;
  const int64_t frames = plan.input.latents.frames;
  if (version.shards_frames() && frames % shares != 0) {
    need(version, "--adjust-frames", fmt::format("frames is {}", settings.frames.value_or(0)));
    notes.push_back(fmt::format(
        "SGLang {} gives whole latent frames to ranks: it pads {} frames to {} for {} ranks, and computes the padding",
        version.text(), frames, (frames + shares - 1) / shares * shares, shares));
  }
  note_path(plan, version, notes);
  if (!version.has("--warmup") && !version.has("--warmup-mode")) {
    notes.push_back(
        fmt::format("SGLang {} has no warm-up: its first step includes all initialisation", version.text()));
  }
  return notes;
}

std::vector<std::string> sglang_arguments(const RunPlan& plan, const std::string& directory) {
  const RunSettings& settings = plan.settings;
  const SglangVersion version(settings.engine_version);
  Arguments arguments(version);
  arguments.list = {"generate"};
  arguments.add("--model-path", path_given(settings));
  if (const std::string id = model_id_for(plan, version); !id.empty()) arguments.add("--model-id", id);
  arguments.add("--prompt", settings.prompt.empty() ? default_prompt : settings.prompt);
  arguments.add("--seed", settings.seed);
  if (settings.size) {
    arguments.add("--width", settings.width());
    arguments.add("--height", settings.height());
  }
  if (settings.frames) arguments.add("--num-frames", *settings.frames);
  arguments.add_if_there("--adjust-frames", false);
  arguments.add("--num-inference-steps", *settings.steps);
  arguments.add("--flow-shift", *settings.flow_shift);
  if (settings.boundary_ratio) arguments.add("--boundary-ratio", *settings.boundary_ratio);
  arguments.add("--guidance-scale", *settings.guidance_scale);
  if (settings.guidance_scale_2) arguments.add_if_there("--guidance-scale-2", *settings.guidance_scale_2);
  if (settings.precision == Precision::fp32) arguments.add("--dit-precision", "fp32");

  arguments.add("--num-gpus", settings.ranks);
  arguments.add("--ulysses-degree", plan.parallel.ulysses);
  arguments.add("--ring-degree", plan.parallel.ring);
  if (plan.parallel.cfg > 1) arguments.list.emplace_back("--enable-cfg-parallel");
  add_offload(arguments, version, settings);
  add_warm_up(arguments, version);
  if (settings.engine_profile) {
    arguments.list.emplace_back("--profile");
    arguments.add("--num-profiled-timesteps", -1);  // all of them
  }
  arguments.add("--output-path", directory);
  arguments.add("--perf-dump-path", directory + "/perf.json");
  return arguments.list;
}

}  // namespace wansweep
