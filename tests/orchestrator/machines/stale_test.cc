#include "orchestrator/machines/stale.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Reasons = std::vector<std::string>;

Machine measured() {
  Machine machine;
  machine.source = MachineSource::probe;
  machine.backend = BackendKind::cuda;
  machine.card = "NVIDIA H100 PCIe";
  machine.driver = "570.86";
  machine.gpus_per_node = 4;
  machine.wansweep = "0.1.0 (21c781c)";
  return machine;
}

SeenMachine seen(const std::string& card, size_t count, const std::string& driver) {
  return {std::vector<std::string>(count, card), driver, "a processor"};
}

TEST(StaleReasons, ThereAreNoneOnTheMachineThatWasMeasured) {
  EXPECT_EQ(stale_reasons(measured(), seen("NVIDIA H100 PCIe", 4, "570.86"), "0.1.0"), Reasons{});
}

TEST(StaleReasons, NameAnotherCardAnotherDriverAndAnotherNumberOfGpus) {
  EXPECT_EQ(stale_reasons(measured(), seen("NVIDIA H200", 4, "580.95"), "0.1.0"),
            Reasons{"it was measured on NVIDIA H100 PCIe, and NVIDIA H200 is here"});
  EXPECT_EQ(stale_reasons(measured(), seen("NVIDIA H100 PCIe", 2, "580.95"), "0.1.0"),
            (Reasons{"it was measured on a node of 4 GPUs, and 2 are here",
                     "it was measured with driver 570.86, and 580.95 is here now"}));
}

TEST(StaleReasons, NameAnotherWansweep) {
  EXPECT_EQ(stale_reasons(measured(), seen("NVIDIA H100 PCIe", 4, "570.86"), "0.2.0"),
            Reasons{"wansweep 0.1.0 measured it, and this is 0.2.0"});
}

TEST(StaleReasons, ALoginNodeWithoutGpusSaysNothingOfThoseThatHaveThem) {
  EXPECT_EQ(stale_reasons(measured(), SeenMachine{}, "0.1.0"), Reasons{});
}

TEST(StaleReasons, FactsWereMeasuredNowhere) {
  Machine facts = measured();
  facts.source = MachineSource::facts;
  EXPECT_EQ(stale_reasons(facts, seen("NVIDIA H200", 8, "580.95"), "9.9"), Reasons{});
}

TEST(StaleReasons, OfTheCpuBackendTheProcessorIsCompared) {
  Machine machine = measured();
  machine.backend = BackendKind::cpu;
  machine.card = "a processor";
  EXPECT_EQ(stale_reasons(machine, seen("NVIDIA H200", 8, "580.95"), "0.1.0"), Reasons{});
  machine.card = "another one";
  EXPECT_EQ(stale_reasons(machine, seen("NVIDIA H200", 8, "580.95"), "0.1.0"),
            Reasons{"it was measured on another one, and a processor is here"});
}

TEST(SeeThisMachine, TakesCardsAndDriverFromNvidiaSmi) {
  const TemporaryDirectory directory;
  const auto stand_in = [&](const std::string& text) {
    const std::string file = write_text(directory / "nvidia-smi", "#!/bin/sh\n" + text + "\n");
    fs::permissions(file, fs::perms::owner_all);
    return file;
  };
  const SeenMachine seen =
      see_this_machine(stand_in("echo 'NVIDIA H100 80GB HBM3, 570.86.15'; echo 'NVIDIA H100 80GB HBM3, 570.86.15'"));
  EXPECT_EQ(seen.cards, std::vector<std::string>(2, "NVIDIA H100 80GB HBM3"));
  EXPECT_EQ(seen.driver, "570.86.15");
  EXPECT_TRUE(see_this_machine(stand_in("echo no devices; exit 6")).cards.empty());
  EXPECT_TRUE(see_this_machine(directory / "not-there").cards.empty());
}

}  // namespace
}  // namespace wansweep
