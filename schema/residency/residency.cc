// Where a block stays between two uses of it, it takes a slot for the uses in between but for the last `depth`, in
// which its copy would take one, too. So what can be chosen are intervals of time, of which as many at once may be
// chosen as there are slots left, `spare`; each saves one copy, and most are wanted. That is a known problem with a
// simple answer (go through time, and where too many are chosen, drop the one that ends last: Faigle and Nawijn 1995),
// which is Belady's rule of the furthest next use. That answer is right for any uses, but it crowds the copies of a
// pass together.
//
// In a phase all intervals have one length, blocks - depth - 1, and one begins with each use. Intervals whose first use
// lies in one residue class modulo that length follow each other without a gap: a class is what one spare slot holds,
// one block after the other. So a choice of `spare` classes is a choice of intervals, and its copies are spread as
// evenly as the classes are. A phase does not end with a whole number of lengths: the classes below its remainder have
// one interval more. With as many of those as there are, the choice saves as much as Belady's (tests/schema/residency).
//
// Copies are made in the order of their uses, and slots are taken in the order in which they fall free. When a phase
// ends, its blocks fall out of use one by one, and the next phase's flow in behind them, as far ahead as slots allow.

#include "schema/residency/residency.h"

#include <algorithm>
#include <deque>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {
namespace {

constexpr int32_t before_all = -1;

// Which classes of [0, length) are chosen: `count` of them, as many as there can be below `remainder`, evenly on either
// side of it.
std::vector<bool> chosen_classes(int length, int count, int remainder) {
  std::vector<bool> chosen(static_cast<size_t>(length));
  const auto spread = [&](int from, int until, int number) {
    for (int i = 0; i < number; ++i) {
      const int at = from + i * (until - from) / number;
      chosen[static_cast<size_t>(at)] = true;
    }
  };
  const int below = std::min(count, remainder);
  spread(0, remainder, below);
  spread(remainder, length, count - below);
  return chosen;
}

// For each use of a phase: whether its block stays until its next use.
std::vector<bool> choose_kept(const Phase& phase, int slots, int depth) {
  const int with_next_use = (phase.passes - 1) * phase.blocks;
  std::vector<bool> kept(static_cast<size_t>(phase.passes * phase.blocks));
  const int length = phase.blocks - depth - 1;
  const int spare = slots - depth - 1;
  const bool all = spare >= length;
  const std::vector<bool> chosen = all ? std::vector<bool>() : chosen_classes(length, spare, with_next_use % length);
  for (int i = 0; i < with_next_use; ++i) {
    kept[static_cast<size_t>(i)] = all || chosen[static_cast<size_t>(i % length)];
  }
  return kept;
}

struct FreeSlot {
  int32_t slot = 0;
  int32_t from = before_all;
};

// Goes through all uses, and gives each block that is not in a slot the slot that has been free longest.
class SlotPlay {
 public:
  SlotPlay(int slots, int depth) : slots_(slots), depth_(depth) {
    for (int slot = 0; slot < slots; ++slot) free_.push_back({slot, before_all});
  }

  void play(const Phase& phase) {
    const std::vector<bool> kept = choose_kept(phase, slots_, depth_);
    std::vector<std::optional<int32_t>> slot_of_block(static_cast<size_t>(phase.blocks));
    for (size_t i = 0; i < kept.size(); ++i, ++use_) {
      std::optional<int32_t>& slot = slot_of_block[i % slot_of_block.size()];
      if (!slot) slot = bring();
      result_.slot_of_use.push_back(*slot);
      if (kept[i]) continue;
      free_.push_back({*slot, use_ + 1});
      slot.reset();
    }
  }

  Residency result() && {
    result_.slots = std::min(slots_, static_cast<int>(result_.copies.size()));
    result_.depth = depth_;
    pace();
    return std::move(result_);
  }

 private:
  int32_t bring() {
    if (free_.empty() || free_.front().from > std::max(use_ - depth_, before_all)) {
      throw Error(ExitCode::internal, fmt::format("residency: use {} has no slot {} uses ahead", use_, depth_));
    }
    const FreeSlot place = free_.front();
    free_.pop_front();
    result_.copies.push_back({place.slot, place.from, use_});
    return place.slot;
  }

  // Sets when the copies within the loop start; until then, each starts when its slot falls free.
  void pace() {
    const auto in_loop = std::find_if(result_.copies.begin(), result_.copies.end(),
                                      [](const BlockCopy& copy) { return copy.starts != before_all; });
    std::vector<CopyWindow> windows;
    for (auto copy = in_loop; copy != result_.copies.end(); ++copy) windows.push_back({copy->starts, copy->needed});
    result_.peak = least_rate(windows);
    const std::vector<int32_t> starts = paced_starts(windows, result_.peak);
    for (size_t i = 0; i < starts.size(); ++i) {
      BlockCopy& copy = *(in_loop + static_cast<std::ptrdiff_t>(i));
      copy.starts = std::min(starts[i], copy.needed - depth_);
    }
  }

  int slots_;
  int depth_;
  int32_t use_ = 0;
  std::deque<FreeSlot> free_;  // the slot that has been free longest comes first
  Residency result_;
};

// How long the loop takes where a use takes `use` and a copy `copy`, in any unit, and copies follow each other on one
// link.
int64_t time_of(const Residency& plan, int64_t use, int64_t copy) {
  std::vector<int64_t> there(static_cast<size_t>(plan.slots));
  int64_t now = 0, link_free = 0;
  auto next = plan.copies.begin();
  while (next != plan.copies.end() && next->starts == before_all) ++next;
  for (size_t i = 0; i < plan.slot_of_use.size(); ++i) {
    for (; next != plan.copies.end() && next->starts <= static_cast<int32_t>(i); ++next) {
      link_free = std::max(link_free, now) + copy;
      there[static_cast<size_t>(next->slot)] = link_free;
    }
    now = std::max(now, there[static_cast<size_t>(plan.slot_of_use[i])]) + use;
  }
  return now;
}

// The index of the plan that is worst off by the smallest factor against the best of them, over links on which a copy
// takes from half a use to four. Whole numbers, so that both programs choose the same; of equals, the first.
size_t least_regret(const std::vector<Residency>& plans) {
  constexpr int64_t use = 4;
  constexpr int64_t parts = 1'000'000;
  std::vector<int64_t> worst(plans.size());
  for (const int64_t copy : {2, 3, 4, 5, 6, 8, 12, 16}) {
    std::vector<int64_t> times;
    for (const Residency& plan : plans) times.push_back(time_of(plan, use, copy));
    const int64_t best = *std::min_element(times.begin(), times.end());
    for (size_t i = 0; i < plans.size(); ++i) worst[i] = std::max(worst[i], times[i] * parts / best);
  }
  return static_cast<size_t>(std::min_element(worst.begin(), worst.end()) - worst.begin());
}

}  // namespace

Residency plan_residency(std::span<const Phase> phases, int slots, int depth) {
  SlotPlay play(slots, depth);
  for (const Phase& phase : phases) play.play(phase);
  return std::move(play).result();
}

Residency plan_residency(std::span<const Phase> phases, int slots) {
  int deepest = std::min(most_depth, slots - 1);
  int most_blocks = 0;
  for (const Phase& phase : phases) {
    deepest = std::min(deepest, phase.blocks - 1);
    most_blocks = std::max(most_blocks, phase.blocks);
  }
  std::vector<Residency> plans;
  for (int depth = std::min(deepest, 1); depth <= deepest; ++depth) {
    plans.push_back(plan_residency(phases, slots, depth));
  }
  const auto by_rate = [](const Residency& a, const Residency& b) {
    const bool same_rate = !(a.peak < b.peak) && !(b.peak < a.peak);
    return same_rate ? a.copies.size() < b.copies.size() : a.peak < b.peak;
  };
  if (slots >= most_blocks) return *std::min_element(plans.begin(), plans.end(), by_rate);
  return plans[least_regret(plans)];
}

}  // namespace wansweep
