#include "orchestrator/predict/played_schedule.h"

#include <algorithm>

namespace wansweep {

std::vector<PlayedStep> play(const Schedule& schedule, std::span<const Use> uses, const WeightBytes& weights,
                             const PlayRates& rates) {
  std::vector<double> block_there(static_cast<size_t>(schedule.slots));
  std::vector<double> other_there(static_cast<size_t>(schedule.other_slots));
  std::vector<PlayedStep> steps;
  double now = 0, link_free = 0;
  size_t next = 0;
  while (next < schedule.transfers.size() && schedule.transfers[next].starts == before_loop) ++next;
  for (size_t i = 0; i < uses.size(); ++i) {
    double begin = now;
    for (; next < schedule.transfers.size() && schedule.transfers[next].starts <= static_cast<int32_t>(i); ++next) {
      const Transfer& t = schedule.transfers[next];
      const bool outside = t.block == outside_blocks;
      const auto bytes = static_cast<double>(outside ? weights.other : weights.block);
      link_free = std::max(link_free, now) + bytes / rates.link_bytes_per_second;
      (outside ? other_there : block_there)[static_cast<size_t>(t.slot)] = link_free;
      if (t.blocking) begin = link_free;
    }
    const auto other = static_cast<size_t>(schedule.other_slot[static_cast<size_t>(uses[i].expert)]);
    begin = std::max({begin, block_there[static_cast<size_t>(schedule.slot_of_use[i])], other_there[other]});
    steps.resize(static_cast<size_t>(uses[i].step));
    steps.back().exposed += begin - now;
    steps.back().seconds += begin - now + rates.use_seconds;
    now = begin + rates.use_seconds;
  }
  return steps;
}

}  // namespace wansweep
