#include "orchestrator/machines/repeated_shapes.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace wansweep {
namespace {

struct Member {
  Measured BlockTimes::*of;
  const char* name;
  bool exchanges;
};
constexpr std::array<Member, 5> members{
    {{&BlockTimes::block, "block", false},
     {&BlockTimes::share_of_fastest, "share_of_fastest", false},
     {&BlockTimes::block_beside_copies, "block_beside_copies", false},
     {&BlockTimes::block_with_exchanges, "block_with_exchanges", true},
     {&BlockTimes::block_with_exchanges_beside_copies, "block_with_exchanges_beside_copies", true}}};

bool alike(const BlockTimes& a, const BlockTimes& b, const Member& member) {
  if (!(a.*member.of).known() || !(b.*member.of).known() || !same_computing(a.shape, b.shape)) return false;
  return !member.exchanges || a.shape.exchange_groups == b.shape.exchange_groups;
}

}  // namespace

bool same_computing(const ProbeShape& a, ProbeShape b) {
  b.guided = a.guided;
  b.order = a.order;
  b.exchange_groups = a.exchange_groups;
  return a == b;
}

void share_spreads(std::vector<BlockTimes>& shapes) {
  const std::vector<BlockTimes> measured = shapes;
  for (const Member& member : members) {
    for (BlockTimes& times : shapes) {
      Measured& number = times.*member.of;
      size_t first = measured.size(), number_of_shapes = 0;
      for (size_t i = 0; i < measured.size(); ++i) {
        if (!alike(times, measured[i], member)) continue;
        const Measured& other = measured[i].*member.of;
        number.low = std::min(number.low, other.low);
        number.high = std::max(number.high, other.high);
        first = std::min(first, i);
        ++number_of_shapes;
      }
      if (number_of_shapes > 1) number.doubt = fmt::format("{} as in shape {}", member.name, first + 1);
    }
  }
}

}  // namespace wansweep
