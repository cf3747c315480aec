#include "orchestrator/engines/diffusers_command.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/share_folder.h"

namespace wansweep {

void check_diffusers(const RunPlan& plan) {
  const RunSettings& settings = plan.settings;
  if (settings.sigma_schedule != SigmaSchedule::diffusers) {
    throw bad_input(fmt::format("sigma_schedule is {}; engine diffusers needs sigma_schedule diffusers",
                                name_of(settings.sigma_schedule)));
  }
  if (settings.backend == BackendKind::cpu && settings.offload == OffloadMode::swap) {
    throw bad_input("offload is swap, but backend is cpu; engine diffusers moves whole experts only with backend cuda");
  }
  switch (settings.offload) {
    case OffloadMode::resident:
    case OffloadMode::swap:
    case OffloadMode::layerwise:
      break;
    case OffloadMode::snapshot:
    case OffloadMode::planned:
      throw bad_input(fmt::format(
          "offload is {}; engine diffusers has only resident, swap (enable_model_cpu_offload) and layerwise "
          "(group offload)",
          name_of(settings.offload)));
  }
  const int64_t shares = int64_t{plan.parallel.ulysses} * plan.parallel.ring;
  if (plan.model.config.heads % plan.parallel.ulysses != 0) {
    throw bad_input(fmt::format("ulysses is {}; engine diffusers needs a divisor of the model's {} heads",
                                plan.parallel.ulysses, plan.model.config.heads));
  }
  if (plan.tokens % shares != 0) {
    throw bad_input(
        fmt::format("ranks is {}; engine diffusers needs a divisor of the {} tokens", settings.ranks, plan.tokens));
  }
}

std::vector<std::string> diffusers_arguments(const RunPlan& plan, const std::string& directory,
                                             const EnginePlaces& places) {
  std::vector<std::string> arguments{places.python};
  if (plan.settings.ranks > 1) {
    for (const std::string& word :
         {std::string("-m"), std::string("torch.distributed.run"), std::string("--standalone"),
          std::string("--nproc-per-node"), std::to_string(plan.settings.ranks)}) {
      arguments.push_back(word);
    }
  }
  for (const std::string& word : {share_folder() + "/tools/engines/diffusers_run.py", std::string("--spec"),
                                  directory + "/spec.json", std::string("--out"), directory}) {
    arguments.push_back(word);
  }
  return arguments;
}

}  // namespace wansweep
