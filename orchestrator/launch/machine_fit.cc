#include "orchestrator/launch/machine_fit.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "base/declared_memory.h"
#include "base/error.h"
#include "base/units.h"

namespace wansweep {
namespace {

// The memory of the CPU backend's devices is host memory too.
int64_t bytes_of_ranks(const RunPlan& run) {
  int64_t each = bytes_of_a_rank + run.memory.host_total();
  if (run.settings.backend == BackendKind::cpu) each += run.memory.device_total();
  return each * run.parallel.ranks;
}

}  // namespace

MachineSize this_machine() {
  MachineSize size;
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) size.cores = std::max(1, CPU_COUNT(&usable));
  size.memory = declared_host_memory().value_or(static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE));
  return size;
}

std::optional<std::string> check_machine_fits(const Plan& plan, const MachineSize& machine) {
  int most = 0;
  for (const PlannedConfiguration& configuration : plan.configurations) {
    if (!configuration.run) continue;
    const int64_t needed = bytes_of_ranks(*configuration.run);
    const int ranks = configuration.run->parallel.ranks;
    if (machine.memory > 0 && needed > machine.memory) {
      throw bad_input(
          fmt::format("ranks is {}: {} needs {:.1f} GiB of memory, but this machine has {:.1f} GiB; use "
                      "fewer ranks, or submit the sweep to a cluster",
                      ranks, configuration.name, to_gib(needed), to_gib(machine.memory)));
    }
    most = std::max(most, ranks);
  }
  if (most <= most_ranks_a_core * machine.cores) return std::nullopt;
  return fmt::format(
      "ranks is up to {}, but this machine has {} cores: ranks will share cores, runs may take hours, "
      "and their times do not tell the settings apart",
      most, machine.cores);
}

}  // namespace wansweep
