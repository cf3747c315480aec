#include "orchestrator/answers/report/way_names.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

WaySettings way(OffloadMode mode, std::map<std::string, std::string> values = {}) { return {mode, std::move(values)}; }

WaySettings planned(const std::string& memory, std::map<std::string, std::string> values = {}) {
  values["device_budget"] = "auto";
  values["device_memory"] = memory;
  return way(OffloadMode::planned, std::move(values));
}

TEST(WayNames, OptionsStandInBracketsBehindTheMode) {
  const WayNames names =
      name_ways({{"a", way(OffloadMode::swap)},
                 {"b", planned("5", {{"guidance_order", "block"}, {"yield_to_collectives", "on"}})},
                 {"c", way(OffloadMode::layerwise, {{"prefetch", "2"}, {"host_memory", "pageable"}})},
                 {"d", way(OffloadMode::planned, {{"device_budget", "8"}, {"device_memory", "0"}})}});
  EXPECT_EQ(names.name_of("a"), "swap");
  EXPECT_EQ(names.name_of("b"), "planned within 5 GiB (block order, yielding)");
  EXPECT_EQ(names.name_of("c"), "layerwise (prefetch 2, pageable)");
  EXPECT_EQ(names.name_of("d"), "planned with 8 GiB of blocks");
  EXPECT_EQ(names.shared, "");
}

TEST(WayNames, WhatAllWaysThatMoveWeightsShareIsNotInTheirNames) {
  const WayNames names = name_ways({{"resident", way(OffloadMode::resident, {{"host_store", "shared"}})},
                                    {"swap shared", way(OffloadMode::swap, {{"host_store", "shared"}})},
                                    {"planned auto of 16 GiB block order shared",
                                     planned("16", {{"guidance_order", "block"}, {"host_store", "shared"}})}});
  EXPECT_EQ(names.name_of("resident"), "resident");
  EXPECT_EQ(names.name_of("swap shared"), "swap");
  EXPECT_EQ(names.name_of("planned auto of 16 GiB block order shared"), "planned within 16 GiB (block order)");
  EXPECT_EQ(names.shared, "host_store shared");
}

TEST(WayNames, WaysThatDifferInWhatIsNotKnownKeepTheirLabels) {
  const WayNames names = name_ways({{"swap", way(OffloadMode::swap)}, {"swap new option", way(OffloadMode::swap)}});
  EXPECT_EQ(names.name_of("swap"), "swap");
  EXPECT_EQ(names.name_of("swap new option"), "swap new option");
  EXPECT_EQ(names.name_of("no way at all"), "no way at all");
}

}  // namespace
}  // namespace wansweep
