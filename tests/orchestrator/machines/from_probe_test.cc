#include "orchestrator/machines/from_probe.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "orchestrator/machines/machine_file.h"
#include "orchestrator/machines/spread.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

// A record of two ranks and one shape, whose steps have two forwards. A block takes 10 ms without and 12 ms with its
// exchanges; a block that starts from the shared prefix takes 4 ms and 5 ms. A step takes 3 ms outside its blocks.
ProbeRecord record_of_two_ranks() {
  ProbeRecord record;
  record.finished_at = "2026-11-26T19:01:30.000Z";
  record.wansweep_version = "0.1.0";
  record.git_revision = "21c781c";
  record.ranks = 2;
  record.machine.device = "NVIDIA H200";
  record.machine.driver = "580.95";
  record.machine.backend = BackendKind::cuda;
  record.machine.host = "gpu07";
  record.machine.gpus = 8;
  record.machine.node_ranks = {2};
  record.machine.processors = 64;
  record.machine.host_memory = static_cast<int64_t>(512 * gibibyte);
  record.machine.power_limit_mw = 700'000;
  ProbeShape shape;
  shape.ranks = shape.ulysses = 2;
  shape.guided = true;
  shape.precision = Precision::bf16;
  record.shapes = {shape};
  const auto add = [&](ProbeSample sample) {
    if (sample.ranks == 1) sample.ranks = 2;
    if (sample.fastest_seconds.empty()) sample.fastest_seconds = sample.seconds;
    record.samples.push_back(std::move(sample));
  };
  add({.what = ProbeWhat::block_forward,
       .shape = 0,
       .seconds = {0.010, 0.009, 0.011},
       .fastest_seconds = {0.0095, 0.0081, 0.0110}});
  add({.what = ProbeWhat::block_rest, .shape = 0, .seconds = {0.004}});
  add({.what = ProbeWhat::block_with_exchanges, .shape = 0, .sizes = {4, 0, 0}, .seconds = {0.012}});
  add({.what = ProbeWhat::block_rest_with_exchanges, .shape = 0, .seconds = {0.005}});
  add({.what = ProbeWhat::block_forward,
       .shape = 0,
       .beside = Beside::copies,
       .memory = HostMemory::pinned,
       .seconds = {0.0125}});
  add({.what = ProbeWhat::short_step, .shape = 0, .sizes = {1, 0, 0}, .seconds = {0.012 + 0.005 + 0.003}});
  add({.what = ProbeWhat::short_step, .shape = 0, .sizes = {4, 0, 0}, .seconds = {7 * 0.012 + 0.005 + 0.003}});
  add({.what = ProbeWhat::product, .shape = 0, .operations = 2e12, .sizes = {8190, 5120, 5120}, .seconds = {0.004}});
  add({.what = ProbeWhat::product, .shape = 0, .operations = 6e12, .sizes = {8190, 15360, 5120}, .seconds = {0.012}});
  // Exchanges have a latency of 20 us and a rate of 50 GB/s, beside copies 25 GB/s.
  for (const int64_t bytes : {int64_t{1} << 12, int64_t{1} << 20, int64_t{1} << 28}) {
    const auto x = static_cast<double>(bytes);
    add({.what = ProbeWhat::exchange, .shape = 0, .bytes = bytes, .sizes = {2, 0, 0}, .seconds = {20e-6 + x / 50e9}});
    add({.what = ProbeWhat::exchange,
         .shape = 0,
         .bytes = bytes,
         .sizes = {2, 0, 0},
         .beside = Beside::copies,
         .memory = HostMemory::pinned,
         .seconds = {20e-6 + x / 25e9}});
  }
  add({.what = ProbeWhat::copy_in, .bytes = 1 << 30, .memory = HostMemory::pinned, .seconds = {(1 << 30) / 30e9}});
  add({.what = ProbeWhat::pin, .bytes = 1 << 30, .memory = HostMemory::pinned, .seconds = {(1 << 30) / 4e9}});
  for (const int64_t bytes : {int64_t{1} << 16, int64_t{1} << 30}) {
    record.samples.push_back({.what = ProbeWhat::copy_in,
                              .bytes = bytes,
                              .ranks = 1,
                              .memory = HostMemory::pinned,
                              .seconds = {8e-6 + static_cast<double>(bytes) / 55e9}});
  }
  return record;
}

Machine machine_of_two_ranks() { return machine_from(std::vector{record_of_two_ranks()}, "gpu07"); }

TEST(Spread, IsTheMedianAndWhatLiesBetweenTheTenthAndTheNinetiethPercentile) {
  const Measured spread = spread_of({9, 1, 2, 3, 4, 5, 6, 7, 8, 10, 0}, "here");
  EXPECT_DOUBLE_EQ(spread.value, 5);
  EXPECT_DOUBLE_EQ(spread.low, 1);
  EXPECT_DOUBLE_EQ(spread.high, 9);
  EXPECT_EQ(spread.samples, 11);
  EXPECT_EQ(spread.origin, "here");
  EXPECT_FALSE(spread_of({}, "here").known());
}

TEST(Spread, AMeanIsNotDecidedByOneDisturbedRepeat) {
  std::vector<double> values;
  for (int i = 1; i <= 10; ++i) values.push_back(i < 6 ? 1 : 2);
  const Measured even = mean_with_spread(values, "here");
  EXPECT_DOUBLE_EQ(even.value, 1.5) << "times that add up, of which half are longer, count in full";
  values.push_back(1000);
  const Measured disturbed = mean_with_spread(values, "here");
  EXPECT_DOUBLE_EQ(disturbed.value, (5 + 6 * 2) / 11.0);
  EXPECT_EQ(disturbed.samples, 11);
  EXPECT_FALSE(mean_with_spread({}, "here").known());
}

TEST(FitLine, FindsLatencyAndRateOverFiveDecades) {
  std::vector<Point> points;
  for (const double bytes : {1e3, 1e5, 1e8}) points.push_back({bytes, 2e-5 + bytes / 5e10});
  const Line line = fit_line(points);
  EXPECT_NEAR(line.at_zero, 2e-5, 1e-9);
  EXPECT_NEAR(line.slope, 1 / 5e10, 1e-15);
}

TEST(FitLine, BeginsAtZeroWhereTheBestWouldBeginBelow) {
  const std::vector<Point> points{{1, 0.5}, {2, 2}};
  EXPECT_EQ(fit_line(points).at_zero, 0);
  EXPECT_GT(fit_line(points).slope, 0);
}

TEST(MachineFromProbe, HasTheTimesOfEachShape) {
  const Machine machine = machine_of_two_ranks();
  ASSERT_EQ(machine.shapes.size(), 1u);
  const BlockTimes& times = machine.shapes[0];
  EXPECT_DOUBLE_EQ(times.block.value, 0.010);
  EXPECT_NEAR(times.block.low, 0.0092, 1e-9);
  EXPECT_EQ(times.block.samples, 3);
  EXPECT_DOUBLE_EQ(times.share_of_fastest.value, 0.95);
  EXPECT_NEAR(times.share_of_fastest.low, 0.91, 1e-9);
  EXPECT_EQ(times.groups, 4);
  EXPECT_DOUBLE_EQ(times.block_rest.value, 0.004);
  EXPECT_DOUBLE_EQ(times.block_beside_copies.value, 0.0125);
  // A block takes 2.5 ms longer beside copies, which bring 0.3 GB in its 10 ms at 30 GB/s.
  EXPECT_NEAR(machine.links.computing_lost_per_gb.value, 0.0025 / 0.3, 1e-6);
  EXPECT_FALSE(times.block_with_exchanges_beside_copies.known());
  EXPECT_NEAR(times.step_beside_blocks.value, 0.003, 1e-9);
  EXPECT_EQ(times.block.origin, "probe of 2026-11-26 on gpu07, wansweep 21c781c: block_forward");
}

TEST(MachineFromProbe, BlocksThatComputeTheSameHaveTheSpreadOfAllOfThem) {
  ProbeRecord record = record_of_two_ranks();
  record.shapes.push_back(record.shapes.front());
  record.shapes.back().order = GuidanceOrder::block;
  record.samples.push_back({.what = ProbeWhat::block_forward,
                            .shape = 1,
                            .ranks = 2,
                            .seconds = {0.014, 0.015, 0.016},
                            .fastest_seconds = {0.014, 0.015, 0.016}});
  const std::vector<BlockTimes> shapes = machine_from(std::vector{record}, "gpu07").shapes;
  ASSERT_EQ(shapes.size(), 2u);
  for (const BlockTimes& times : shapes) {
    EXPECT_NEAR(times.block.low, 0.0092, 1e-9) << "the lowest of both";
    EXPECT_NEAR(times.block.high, 0.0158, 1e-9) << "the highest of both";
    EXPECT_EQ(times.block.doubt, "block as in shape 1");
  }
  EXPECT_DOUBLE_EQ(shapes[0].block.value, 0.010) << "the values stay";
  EXPECT_DOUBLE_EQ(shapes[1].block.value, 0.015);
  EXPECT_EQ(shapes[0].block_with_exchanges.doubt, "") << "measured at one shape only";
}

TEST(MachineFromProbe, HasRatesAndLatenciesByLeastSquares) {
  const Links& links = machine_of_two_ranks().links;
  ASSERT_EQ(links.exchanges.size(), 2u);
  EXPECT_NEAR(links.exchanges[0].latency.value, 20e-6, 1e-8);
  EXPECT_NEAR(links.exchanges[0].gb_per_second.value, 50, 0.1);
  EXPECT_NEAR(links.exchanges[1].gb_per_second.value, 25, 0.1);
  EXPECT_NEAR(links.copy_latency.value, 8e-6, 1e-8);
  ASSERT_EQ(links.copies.size(), 2u);
  EXPECT_NEAR(links.copies[0].gb_per_second.value, 55, 0.1);
  EXPECT_NEAR(links.copies[1].gb_per_second.value, 30, 0.1);
  EXPECT_EQ(links.copies[1].ranks, 2);
  EXPECT_EQ(links.exchanges_take, Wire::copies);  // copies halve the rate of exchanges
  EXPECT_FALSE(links.emulated);
}

TEST(MachineFromProbe, HasWhatItIsAndWhatTheHostDoes) {
  const Machine machine = machine_of_two_ranks();
  EXPECT_EQ(machine.card, "NVIDIA H200");
  EXPECT_EQ(machine.gpus_per_node, 8);
  EXPECT_EQ(machine.cores, 64);
  EXPECT_EQ(machine.power_watts, 700);
  EXPECT_EQ(machine.host.memory_gib, 512);
  EXPECT_NEAR(machine.host.register_gb_per_second.value, 8, 1e-6);
  EXPECT_FALSE(machine.host.fill_gb_per_second.known());  // the record has no sample of it
  ASSERT_EQ(machine.compute.products.size(), 1u);
  EXPECT_NEAR(machine.compute.products[0].tflops.value, 500, 1e-6);
  EXPECT_TRUE(machine.compute.attention.empty());
}

TEST(MachineFromProbe, CanBeWrittenAndReadAgain) {
  const Machine machine = machine_of_two_ranks();
  const std::string text = machine_text(machine);
  EXPECT_EQ(machine_text(parse_machine(text, "gpu07.toml")), text);
}

TEST(MachineFromProbe, RefusesProbesOfTwoMachines) {
  ProbeRecord other = record_of_two_ranks();
  other.machine.driver = "590.1";
  expect_error(ExitCode::bad_input, "probes of two machines", [&] {
    machine_from(std::vector{record_of_two_ranks(), other}, "gpu07");
  });
}

}  // namespace
}  // namespace wansweep
