// Each offload mode as a schedule.
//
// layerwise is SGLang's manager (PR #16150, #17693). Before block i: when i is 0, blocks 0 .. P-1 are fetched if they
// are not there; when P divides i, blocks i+P .. i+2P-1 are fetched, modulo the number of blocks: the end of a forward
// brings the first blocks of the next. A block that is needed and not there is fetched, too. After block i its slot is
// free. Before the loop each expert's first P blocks are fetched, and at the switch nothing special happens: the expert
// that rests keeps what it has, so that the other finds its first blocks in place.
// SGLang's copy stream waits for all work enqueued so far when a copy is asked for (wait_stream), and so do ours: a
// transfer starts with the use at which it is asked for. Its caching allocator is a pool of slots here, as many as
// are ever held at once, so that peak memory is known.

#include "schema/schedule.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "schema/residency/residency.h"

namespace wansweep {

namespace {

// The first use of each expert; no_use when it has none.
std::vector<int32_t> first_uses(const LoopShape& shape, std::span<const Use> uses) {
  std::vector<int32_t> first(static_cast<size_t>(shape.experts), no_use);
  for (size_t i = 0; i < uses.size(); ++i) {
    int32_t& of_expert = first[static_cast<size_t>(uses[i].expert)];
    if (of_expert == no_use) of_expert = static_cast<int32_t>(i);
  }
  return first;
}

// Copies a whole expert: its blocks go into the slots from `first_slot` on.
void add_expert(Schedule& schedule, int expert, int layers, int first_slot, const Transfer& like) {
  for (int block = 0; block < layers; ++block) {
    Transfer transfer = like;
    transfer.expert = static_cast<int8_t>(expert);
    transfer.block = static_cast<int16_t>(block);
    transfer.slot = first_slot + block;
    if (like.needed != no_use) transfer.needed = like.needed + block;
    schedule.transfers.push_back(transfer);
  }
  Transfer other = like;
  other.expert = static_cast<int8_t>(expert);
  other.block = outside_blocks;
  other.slot = schedule.other_slot[static_cast<size_t>(expert)];
  schedule.transfers.push_back(other);
}

Schedule make_resident(const LoopShape& shape, std::span<const Use> uses) {
  const int layers = shape.layers;
  const std::vector<int32_t> first = first_uses(shape, uses);
  Schedule schedule;
  schedule.slots = shape.experts * layers;
  schedule.other_slots = shape.experts;
  for (int expert = 0; expert < shape.experts; ++expert) {
    schedule.other_slot.push_back(expert);
    Transfer in;
    in.needed = first[static_cast<size_t>(expert)];
    add_expert(schedule, expert, layers, expert * layers, in);
  }
  for (const Use& use : uses) schedule.slot_of_use.push_back(use.expert * layers + use.block);
  return schedule;
}

// `copies_out`: the expert that leaves is copied to the host first.
Schedule make_swap(const LoopShape& shape, std::span<const Use> uses, bool copies_out) {
  const int layers = shape.layers;
  Schedule schedule;
  schedule.slots = layers;
  schedule.other_slots = 1;
  schedule.other_slot.assign(static_cast<size_t>(shape.experts), 0);
  for (const Use& use : uses) schedule.slot_of_use.push_back(use.block);
  std::optional<int> there;
  for (size_t i = 0; i < uses.size(); ++i) {
    if (there == uses[i].expert) continue;
    Transfer in;
    in.needed = static_cast<int32_t>(i);
    if (there) {
      in.starts = static_cast<int32_t>(i);
      in.blocking = true;
      Transfer out = in;
      out.way = Way::out;
      out.needed = no_use;
      if (copies_out) add_expert(schedule, *there, layers, 0, out);
    }
    there = uses[i].expert;
    add_expert(schedule, *there, layers, 0, in);
  }
  return schedule;
}

// Consecutive uses of one expert.
std::vector<Phase> phases_of(std::span<const Use> uses, int layers) {
  std::vector<Phase> phases;
  std::optional<int> expert;
  for (size_t i = 0; i < uses.size(); i += static_cast<size_t>(layers)) {
    if (expert != uses[i].expert) phases.push_back({layers, 0});
    expert = uses[i].expert;
    ++phases.back().passes;
  }
  return phases;
}

Schedule make_planned(const LoopShape& shape, std::span<const Use> uses, int slots) {
  const std::vector<int32_t> first = first_uses(shape, uses);
  Residency residency = plan_residency(phases_of(uses, shape.layers), slots);
  Schedule schedule;
  schedule.slots = residency.slots;
  schedule.slot_of_use = std::move(residency.slot_of_use);
  for (int expert = 0; expert < shape.experts; ++expert) {
    const int32_t needed = first[static_cast<size_t>(expert)];
    schedule.other_slot.push_back(needed == no_use ? 0 : schedule.other_slots++);
    if (needed == no_use) continue;
    Transfer other;
    other.expert = static_cast<int8_t>(expert);
    other.block = outside_blocks;
    other.slot = schedule.other_slot.back();
    other.needed = needed;
    schedule.transfers.push_back(other);
  }
  for (const BlockCopy& copy : residency.copies) {
    const Use& use = uses[static_cast<size_t>(copy.needed)];
    schedule.transfers.push_back({use.expert, use.block, Way::in, copy.slot, copy.starts, copy.needed, false});
  }
  return schedule;
}

class Layerwise {
 public:
  Layerwise(const LoopShape& shape, int prefetch) : layers_(shape.layers), ahead_(prefetch) {
    held_.assign(static_cast<size_t>(shape.experts), std::vector<std::optional<Held>>(static_cast<size_t>(layers_)));
    schedule_.other_slots = shape.experts;
  }

  Schedule play(const LoopShape& shape, std::span<const Use> uses) {
    const std::vector<int32_t> first = first_uses(shape, uses);
    for (int expert = 0; expert < shape.experts; ++expert) {
      schedule_.other_slot.push_back(expert);
      Transfer other;
      other.expert = static_cast<int8_t>(expert);
      other.block = outside_blocks;
      other.slot = expert;
      other.needed = first[static_cast<size_t>(expert)];
      schedule_.transfers.push_back(other);
      for (int block = 0; block < std::min(ahead_, layers_); ++block) fetch(expert, block, before_loop);
    }
    for (size_t i = 0; i < uses.size(); ++i) serve(uses[i], static_cast<int32_t>(i));
    return std::move(schedule_);
  }

 private:
  struct Held {
    int slot = 0;
    size_t transfer = 0;
  };

  void serve(const Use& use, int32_t index) {
    if (use.block == 0) {
      for (int block = 0; block < std::min(ahead_, layers_); ++block) fetch(use.expert, block, index);
    }
    fetch(use.expert, use.block, index);
    std::optional<Held>& held = at(use.expert, use.block);
    schedule_.slot_of_use.push_back(held->slot);
    schedule_.transfers[held->transfer].needed = index;
    if (use.block % ahead_ == 0) {
      for (int i = 0; i < ahead_; ++i) fetch(use.expert, (use.block + ahead_ + i) % layers_, index);
    }
    free_.push_back(held->slot);
    held.reset();
  }

  void fetch(int expert, int block, int32_t starts) {
    std::optional<Held>& held = at(expert, block);
    if (held) return;
    held = Held{take_slot(), schedule_.transfers.size()};
    Transfer transfer;
    transfer.expert = static_cast<int8_t>(expert);
    transfer.block = static_cast<int16_t>(block);
    transfer.slot = held->slot;
    transfer.starts = starts;
    schedule_.transfers.push_back(transfer);
  }

  int take_slot() {
    if (free_.empty()) return schedule_.slots++;
    const int slot = free_.front();
    free_.pop_front();
    return slot;
  }

  std::optional<Held>& at(int expert, int block) {
    return held_[static_cast<size_t>(expert)][static_cast<size_t>(block)];
  }

  int layers_;
  int ahead_;
  Schedule schedule_;
  std::vector<std::vector<std::optional<Held>>> held_;  // by expert, by block
  std::deque<int> free_;                                // the slot that has been free longest comes first
};

// --- check

struct Content {
  int expert = 0;
  int block = 0;
  bool operator==(const Content&) const = default;
};

[[noreturn]] void broken(const std::string& why) { throw Error(ExitCode::internal, "schedule: " + why); }

std::string describe(const Use& use, size_t index) {
  return fmt::format("use {} (step {}, expert {}, forward {}, block {})", index, use.step, use.expert + 1, use.forward,
                     use.block);
}

std::string describe(const Transfer& t, size_t index) {
  return fmt::format("transfer {} (expert {}, block {}, {}, slot {})", index, t.expert + 1, t.block, name_of(t.way),
                     t.slot);
}

// Plays the copies and uses in their order. A copy occupies its slot from its start on, since it may write at any time
// until its end.
class Player {
 public:
  explicit Player(const Schedule& schedule)
      : schedule_(schedule),
        blocks_(static_cast<size_t>(schedule.slots)),
        others_(static_cast<size_t>(schedule.other_slots)) {}

  void start(const Transfer& t, size_t index) {
    std::vector<std::optional<Content>>& rooms = t.block == outside_blocks ? others_ : blocks_;
    if (t.slot < 0 || static_cast<size_t>(t.slot) >= rooms.size())
      broken(describe(t, index) + " names a slot that does not exist");
    std::optional<Content>& room = rooms[static_cast<size_t>(t.slot)];
    const Content content{t.expert, t.block};
    if (t.way == Way::in) {
      room = content;
    } else if (room != content) {
      broken(describe(t, index) + " copies out a block that its slot does not hold");
    }
  }

  void use(const Use& use, size_t index) const {
    const auto slot = static_cast<size_t>(schedule_.slot_of_use[index]);
    if (slot >= blocks_.size() || blocks_[slot] != Content{use.expert, use.block}) {
      broken(describe(use, index) + " does not find its block in its slot");
    }
    const auto other = static_cast<size_t>(schedule_.other_slot[static_cast<size_t>(use.expert)]);
    if (other >= others_.size() || others_[other] != Content{use.expert, outside_blocks}) {
      broken(describe(use, index) + " does not find its expert's weights outside blocks");
    }
  }

 private:
  const Schedule& schedule_;
  std::vector<std::optional<Content>> blocks_, others_;
};

}  // namespace

int prefetch_blocks(double prefetch, int layers) {
  int blocks = 1;
  if (prefetch >= 1) {
    blocks = static_cast<int>(std::min<double>(prefetch, layers));
  } else if (prefetch > 0) {
    blocks = 1 + static_cast<int>(std::lround(prefetch * (layers - 1)));
  }
  return std::clamp(blocks, 1, std::max(1, layers - 1));
}

Schedule make_schedule(OffloadMode mode, const LoopShape& shape, std::span<const Use> uses,
                       const ScheduleOptions& options) {
  switch (mode) {
    case OffloadMode::resident:
      return make_resident(shape, uses);
    case OffloadMode::swap:
      return make_swap(shape, uses, true);
    case OffloadMode::layerwise:
      return Layerwise(shape, options.prefetch).play(shape, uses);
    case OffloadMode::snapshot:
      return make_swap(shape, uses, false);
    case OffloadMode::planned:
      return make_planned(shape, uses, options.slots);
  }
  broken(fmt::format("unknown offload mode number {}", static_cast<int>(mode)));
}

void check(const Schedule& schedule, std::span<const Use> uses) {
  if (schedule.slot_of_use.size() != uses.size()) {
    broken(fmt::format("{} of {} uses have slots", schedule.slot_of_use.size(), uses.size()));
  }
  Player player(schedule);
  size_t next = 0;
  const auto start_until = [&](int32_t use) {
    for (; next < schedule.transfers.size() && schedule.transfers[next].starts <= use; ++next) {
      player.start(schedule.transfers[next], next);
    }
  };
  start_until(before_loop);
  for (size_t i = 0; i < uses.size(); ++i) {
    start_until(static_cast<int32_t>(i));
    player.use(uses[i], i);
  }
  if (next < schedule.transfers.size()) {
    broken(describe(schedule.transfers[next], next) + " starts with a use that does not exist, or out of order");
  }
  for (size_t i = 0; i < schedule.transfers.size(); ++i) {
    const Transfer& t = schedule.transfers[i];
    if (t.needed != no_use && t.needed < t.starts) broken(describe(t, i) + " starts after it is needed");
  }
}

bool reads_host_in_loop(const Schedule& schedule) {
  return std::any_of(schedule.transfers.begin(), schedule.transfers.end(),
                     [](const Transfer& t) { return t.way == Way::in && t.starts != before_loop; });
}

bool copies_out(const Schedule& schedule) {
  return std::any_of(schedule.transfers.begin(), schedule.transfers.end(),
                     [](const Transfer& t) { return t.way == Way::out; });
}

LinkRate least_link_rate(const Schedule& schedule) {
  std::vector<CopyWindow> windows;
  for (const Transfer& t : schedule.transfers) {
    const bool counts = t.way == Way::in && !t.blocking && t.starts != before_loop && t.needed != no_use;
    if (counts) windows.push_back({t.starts, t.needed});
  }
  return least_rate(windows);
}

nlohmann::json to_json(const Schedule& schedule) {
  const auto or_null = [](int32_t value, int32_t none) {
    return value == none ? nlohmann::json() : nlohmann::json(value);
  };
  nlohmann::json transfers = nlohmann::json::object();
  for (const Transfer& t : schedule.transfers) {
    transfers["expert"].push_back(t.expert + 1);
    transfers["block"].push_back(or_null(t.block, outside_blocks));
    transfers["way"].push_back(name_of(t.way));
    transfers["slot"].push_back(t.slot);
    transfers["starts"].push_back(or_null(t.starts, before_loop));
    transfers["needed"].push_back(or_null(t.needed, no_use));
    transfers["blocking"].push_back(t.blocking);
  }
  return {{"slots", schedule.slots},
          {"other_slots", schedule.other_slots},
          {"other_slot", schedule.other_slot},
          {"slot_of_use", schedule.slot_of_use},
          {"transfers", std::move(transfers)}};
}

}  // namespace wansweep
