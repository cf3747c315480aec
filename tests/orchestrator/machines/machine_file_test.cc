#include "orchestrator/machines/machine_file.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

Measured measured(double value, const char* origin = "a test") { return {value, 0.9 * value, 1.1 * value, 5, origin}; }

Machine full_machine() {
  Machine machine;
  machine.name = "bench \"a\"\x7f\n";
  machine.source = MachineSource::probe;
  machine.measured_at = "2026-11-26T20:00:00Z";
  machine.measured_on = "node7";
  machine.wansweep = "1.0 (abc)";
  machine.backend = BackendKind::cpu;
  machine.card = "a processor";
  machine.driver = "550.1";
  machine.gpus_per_node = 4;
  machine.cores = 2;
  machine.device_memory_gib = 80;
  machine.power_watts = 350;
  machine.host = {488, measured(2), measured(3)};
  machine.compute = {{{Precision::bf16, 8190, measured(700)}},
                     {{Precision::fp32, 32760, measured(590)}},
                     measured(2500),
                     measured(0.01)};
  machine.links.emulated = true;
  machine.links.exchanges_take = Wire::copies;
  machine.links.copy_latency = measured(1e-5);
  machine.links.copies = {{Way::out, HostMemory::pageable, 4, Beside::exchange, measured(7.9)}};
  machine.links.exchanges = {{4, Beside::copies, measured(2e-5), measured(9)}, {2, Beside::nothing, {}, measured(12)}};
  BlockTimes times;
  times.shape.heads = 40;
  times.shape.guided = true;
  times.shape.order = GuidanceOrder::block;
  times.shape.precision = Precision::bf16;
  times.shape.ulysses = 4;
  times.block = measured(0.125);
  times.step_beside_blocks = measured(0.001);
  machine.shapes = {times};
  return machine;
}

constexpr const char* least = R"(version = 1
name = "m"
source = "facts"
measured_at = "2026-11-26"
measured_on = "a node"
backend = "cuda"
card = "a card"
gpus_per_node = 4
)";

TEST(MachineFile, WhatIsWrittenReadsBackAsTheSameMachine) {
  const std::string text = machine_text(full_machine());
  const Machine back = parse_machine(text, "m.toml");
  EXPECT_EQ(machine_text(back), text);
  EXPECT_EQ(back.name, full_machine().name);
  EXPECT_EQ(back.links.copies.front().way, Way::out);
  EXPECT_EQ(back.links.copies.front().gb_per_second.samples, 5);
  EXPECT_FALSE(back.links.exchanges.back().latency.known());
  EXPECT_EQ(back.shapes.front().shape, full_machine().shapes.front().shape);
  EXPECT_EQ(back.compute.attention.front().precision, Precision::fp32);
}

TEST(MachineFile, TheSpeedOfComputingIsDoubtedOnProcessorsAndNotOnGpus) {
  std::string text = machine_text(full_machine());
  EXPECT_TRUE(parse_machine(text, "m.toml").play_doubt.computing.known());
  const std::string backend = "backend = \"cpu\"";
  text.replace(text.find(backend), backend.size(), "backend = \"cuda\"");
  const PlayDoubt of_gpus = parse_machine(text, "m.toml").play_doubt;
  EXPECT_FALSE(of_gpus.computing.known());
  EXPECT_TRUE(of_gpus.loop.known());
}

TEST(MachineFile, EveryNumberStatesItsSpreadAndMayNameTheDoubtThatItShares) {
  const Machine machine = parse_machine(std::string(least) + R"([host]
fill_gb_per_second = { value = 2, low = 1, high = 2, origin = "said so", doubt = "which bytes" }
)",
                                        "m.toml");
  EXPECT_EQ(machine.host.fill_gb_per_second, (Measured{2, 1, 2, 0, "said so", "which bytes"}));
  EXPECT_EQ(parse_machine(machine_text(machine), "m.toml").host.fill_gb_per_second, machine.host.fill_gb_per_second);
}

TEST(MachineFile, WhatIsWrongIsNamedWithItsLine) {
  const auto refused = [](const std::string& more, const std::string& part) {
    expect_error(ExitCode::bad_input, part, [&] { parse_machine(std::string(least) + more, "m.toml"); });
  };
  refused("driverr = \"1\"\n", "m.toml:9: unknown key \"driverr\"; did you mean driver?");
  refused("cores = -1\n", "m.toml:9: cores must be a whole number, 0 or above");
  refused("cores = 1.5\n", "m.toml:9: cores must be a whole number");
  refused("power_watts = nan\n", "m.toml:9: power_watts must be a number");
  refused("[links]\n", "m.toml:9: exchanges_take is missing in links");
  refused("[links]\nexchanges_take = \"both\"\n", "m.toml:10: exchanges_take must be own or copies");
  refused("[host]\nfill_gb_per_second = 2.0\n", "m.toml:10: fill_gb_per_second must be { value = ");
  refused("[host]\nfill_gb_per_second = { value = 2 }\n", "low is missing in host.fill_gb_per_second");
  refused("[host]\nfill_gb_per_second = { value = 2, low = 2, high = 2 }\n",
          "origin is missing in host.fill_gb_per_second");
  refused("[host]\nfill_gb_per_second = { value = 2, low = 3, high = 2, origin = \"\" }\n",
          "m.toml:10: fill_gb_per_second is 2, from 3 to 2; 0 < low <= value <= high is needed");
  refused("[host]\nfill_gb_per_second = { value = 0, low = 0, high = 0, origin = \"\" }\n", "0 < low");
  refused("shapes = 3\n", "m.toml:9: shapes must be a list of tables");
  refused("links = 3\n", "m.toml:9: links must be a table");
  expect_error(ExitCode::bad_input, "is no machine's file of version 1",
               [] { parse_machine("version = 2\n", "m.toml"); });
  expect_error(ExitCode::bad_input, "m.toml:1: name is missing", [] { parse_machine("version = 1\n", "m.toml"); });
}

TEST(MachineFile, AMachineIsFoundByItsPathAndHasTheDigestOfItsText) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/bench.toml";
  write_file_atomically(file, least);
  const MachineFile found = read_machine(file);
  EXPECT_EQ(found.machine.name, "m");
  EXPECT_EQ(found.file, file);
  EXPECT_EQ(found.digest.size(), 64U);
  expect_error(ExitCode::bad_input, "machine no-such-machine: there is no such file",
               [] { read_machine("no-such-machine"); });
}

}  // namespace
}  // namespace wansweep
