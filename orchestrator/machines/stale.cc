#include "orchestrator/machines/stale.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/printable.h"
#include "base/standard_error.h"
#include "schema/version.h"

namespace wansweep {
namespace {

void compare_gpus(const Machine& machine, const SeenMachine& here, std::vector<std::string>& reasons) {
  if (here.cards.empty()) return;
  const auto same = std::ranges::count(here.cards, machine.card);
  if (same == 0) {
    std::vector<std::string> cards = here.cards;
    std::ranges::sort(cards);
    cards.erase(std::unique(cards.begin(), cards.end()), cards.end());
    reasons.push_back(fmt::format("it was measured on {}, and {} is here", machine.card, fmt::join(cards, ", ")));
    return;  // with another card, comparing drivers and counts says nothing more
  }
  if (same != machine.gpus_per_node) {
    reasons.push_back(
        fmt::format("it was measured on a node of {} GPUs, and {} are here", machine.gpus_per_node, same));
  }
  if (!machine.driver.empty() && !here.driver.empty() && machine.driver != here.driver) {
    reasons.push_back(fmt::format("it was measured with driver {}, and {} is here now", machine.driver, here.driver));
  }
}

}  // namespace

std::vector<std::string> stale_reasons(const Machine& machine, const SeenMachine& here, const std::string& version) {
  std::vector<std::string> reasons;
  switch (machine.source) {
    case MachineSource::facts:
      return reasons;
    case MachineSource::probe:
      break;
  }
  switch (machine.backend) {
    case BackendKind::cpu:
      if (!here.processor.empty() && machine.card != here.processor) {
        reasons.push_back(fmt::format("it was measured on {}, and {} is here", machine.card, here.processor));
      }
      break;
    case BackendKind::cuda:
      compare_gpus(machine, here, reasons);
      break;
  }
  const std::string measured_by = machine.wansweep.substr(0, machine.wansweep.find(' '));
  if (!measured_by.empty() && measured_by != version) {
    reasons.push_back(fmt::format("wansweep {} measured it, and this is {}", measured_by, version));
  }
  return reasons;
}

MachineFile read_machine_to_predict(const std::string& name) {
  MachineFile machine = read_machine(name);
  for (const std::string& reason : stale_reasons(machine.machine, see_this_machine(), version)) {
    print_error("wansweep: {} may no longer hold: {}; `wansweep probe` measures anew\n", printable(machine.file),
                printable(reason));
  }
  return machine;
}

}  // namespace wansweep
