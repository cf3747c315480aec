#include "schema/parallel_plan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"

namespace wansweep {
namespace {

ParallelPlan plan_for(int ranks, int heads, int64_t tokens, bool cfg = false, std::optional<int> ulysses = {},
                      std::optional<int> ring = {}) {
  return make_parallel_plan({ranks, cfg, ulysses, ring, heads, tokens});
}

TEST(ParallelPlan, LeftOpenItTakesTheMostUlyssesRanksThatDivideTheHeads) {
  EXPECT_EQ(plan_for(1, 40, 32760).name(), "ulysses 1 x ring 1");
  EXPECT_EQ(plan_for(2, 40, 32760).name(), "ulysses 2 x ring 1");
  EXPECT_EQ(plan_for(3, 40, 32760).name(), "ulysses 1 x ring 3");
  EXPECT_EQ(plan_for(4, 40, 32760).name(), "ulysses 4 x ring 1");
  EXPECT_EQ(plan_for(6, 40, 32760).name(), "ulysses 2 x ring 3");
  EXPECT_EQ(plan_for(8, 40, 32760).name(), "ulysses 8 x ring 1");
  EXPECT_EQ(plan_for(6, 40, 32760, true).name(), "cfg 2 x ulysses 1 x ring 3");
  EXPECT_EQ(plan_for(6, 8, 96).name(), "ulysses 2 x ring 3");
}

TEST(ParallelPlan, OneOfUlyssesAndRingDecidesTheOther) {
  EXPECT_EQ(plan_for(6, 40, 100, false, 2).name(), "ulysses 2 x ring 3");
  EXPECT_EQ(plan_for(6, 40, 100, false, {}, 6).name(), "ulysses 1 x ring 6");
}

TEST(ParallelPlan, UnevenHeadsGoToTheFirstRanks) {
  EXPECT_EQ(plan_for(6, 40, 32760, false, 6, 1).heads_per_ulysses_rank, (std::vector<int>{7, 7, 7, 7, 6, 6}));
  EXPECT_EQ(plan_for(6, 8, 96, false, 6, 1).heads_per_ulysses_rank, (std::vector<int>{2, 2, 1, 1, 1, 1}));
}

TEST(ParallelPlan, EveryTokenAndHeadHasExactlyOneHolder) {
  for (const int ranks : {1, 2, 3, 4, 5, 6, 8}) {
    for (const int64_t tokens : {1, 5, 16, 105, 32760}) {
      const ParallelPlan plan = plan_for(ranks, 40, tokens);
      int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const RankPlace place = place_of(plan, rank);
        EXPECT_EQ(place.token_begin, rank * plan.tokens_per_rank);
        if (place.valid_tokens > 0) {
          EXPECT_EQ(place.token_begin, next);
        }
        next += place.valid_tokens;
      }
      EXPECT_EQ(next, tokens) << ranks;
      int64_t in_rings = 0;
      for (int member = 0; member < plan.ring; ++member) in_rings += valid_tokens_of_ring_member(plan, member);
      EXPECT_EQ(in_rings, tokens);
      EXPECT_EQ(std::accumulate(plan.heads_per_ulysses_rank.begin(), plan.heads_per_ulysses_rank.end(), 0), 40);
    }
  }
}

TEST(ParallelPlan, BothHalvesOfTheGuidanceHoldTheSameTokens) {
  const ParallelPlan plan = plan_for(6, 40, 105, true);
  for (int rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(place_of(plan, rank).token_begin, place_of(plan, rank + 3).token_begin);
    EXPECT_EQ(place_of(plan, rank + 3).cfg_index, 1);
  }
}

TEST(ParallelPlan, NumbersThatCannotWorkAreNamed) {
  auto line_of = [](auto make) -> std::string {
    try {
      make();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_input);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(line_of([] { plan_for(6, 40, 96, false, 4, 2); }),
            "ulysses 4 x ring 2 makes 8 ranks; 6 are needed, the number that shares the sequence (ranks is 6)");
  EXPECT_NE(line_of([] { plan_for(3, 40, 96, true); }).find("even"), std::string::npos);
  EXPECT_NE(line_of([] { plan_for(16, 8, 96, false, 16, 1); }).find("only 8 heads"), std::string::npos);
  EXPECT_EQ(line_of([] { plan_for(6, 40, 96, false, 4); }),
            "ulysses is 4; it must divide 6, the number of ranks that share the sequence (ranks is 6)");
  EXPECT_NE(line_of([] { plan_for(6, 40, 96, false, 0); }).find("ulysses is 0"), std::string::npos);
  EXPECT_NE(line_of([] { plan_for(6, 40, 96, false, {}, 4); }).find("ring is 4"), std::string::npos);
}

}  // namespace
}  // namespace wansweep
