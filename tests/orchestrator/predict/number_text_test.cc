#include "orchestrator/predict/number_text.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

#include "orchestrator/machines/machine_keys.h"
#include "tests/orchestrator/predict/plain_machine.h"

namespace wansweep {
namespace {

// Goes through all numbers that a machine's file may have (machine_keys.h).
struct EachIsNamed {
  const Machine& machine;
  int numbers = 0;
  template <typename T>
  void operator()(const char* key, T& member) {
    if constexpr (std::is_same_v<T, Measured>) {
      ++numbers;
      EXPECT_FALSE(number_text(machine, member).starts_with("a number of ")) << key;
    }
  }
  template <typename T>
  void optional(const char* key, T& member) {
    (*this)(key, member);
  }
  template <typename Visit>
  void table(const char*, const Visit& visit) {
    visit(*this);
  }
  template <typename T, typename Visit>
  void list(const char*, std::vector<T>& members, const Visit& visit) {
    for (T& member : members) visit(*this, member);
  }
};

TEST(NumberText, EveryNumberOfAMachinesFileHasAName) {
  Machine machine = plain();
  machine.shapes.emplace_back();
  EachIsNamed keys{machine};
  visit_keys(keys, machine);
  EXPECT_GT(keys.numbers, 20);
}

TEST(NumberText, SaysWhatTheNumberIsWithItsSpread) {
  Machine machine = plain();
  machine.compute.products[0].tflops = {380, 297, 497, 0, "scaled"};
  EXPECT_EQ(number_text(machine, machine.compute.products[0].tflops),
            "matrix products of 8190 rows: 380 TFLOP/s (297 to 497)");
  EXPECT_EQ(number_text(machine, machine.links.copies[1].gb_per_second),
            "copies to the device by 4 ranks at once, pinned: 40 GB/s (40 to 40)");
  EXPECT_EQ(number_text(machine, machine.links.exchanges[0].gb_per_second),
            "exchanges among 4 ranks: 100 GB/s (100 to 100)");
  machine.shapes.emplace_back().block_with_exchanges = exactly(0.5);
  EXPECT_EQ(number_text(machine, machine.shapes[0].block_with_exchanges),
            "a block with its exchanges, 1 rank: 0.5 s (0.5 to 0.5)");
  EXPECT_EQ(number_text(machine, machine.play_doubt.loop), "the simulation of steps: 0 (0 to 0)");
}

}  // namespace
}  // namespace wansweep
