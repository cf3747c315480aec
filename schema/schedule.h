// Schedules: which copy of weights goes where and when. An offload mode is a function that makes a schedule from the
// list of uses; the worker's streamer carries out any schedule, and memory and bytes moved are sums over it. Nothing
// here touches a device.
//
// A slot is device memory for one block. The weights outside blocks (embeddings, projection: about 1 % of an expert)
// have slots of their own, and are copied as "block" `outside_blocks`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "schema/residency/pace.h"
#include "schema/setting_values.h"
#include "schema/uses.h"

namespace wansweep {

inline constexpr int16_t outside_blocks = -1;
inline constexpr int32_t before_loop = -1;  // Transfer::starts
inline constexpr int32_t no_use = -1;       // Transfer::needed

// The direction of a copy, as seen from the device.
enum class Way : uint8_t { in, out };
constexpr std::string_view name_of(Way way) {
  switch (way) {
    case Way::in:
      return "in";
    case Way::out:
      return "out";
  }
  return {};
}

struct Transfer {
  int8_t expert = 0;
  int16_t block = 0;  // or outside_blocks
  Way way = Way::in;
  int32_t slot = 0;              // a block slot, or a slot for weights outside blocks
  int32_t starts = before_loop;  // index of a use: the copy may start when that use does, after all uses before it
  int32_t needed = no_use;       // index of the first use that waits for the copy; no_use: no use needs it
  bool blocking = false;         // nothing is computed meanwhile, and the host waits for the copy's end
};

struct Schedule {
  int slots = 0;                     // number of block slots
  int other_slots = 0;               // number of slots for weights outside blocks
  std::vector<int32_t> slot_of_use;  // by use: the slot of its block
  std::vector<int32_t> other_slot;   // by expert: the slot of its weights outside blocks while it works
  std::vector<Transfer> transfers;   // in the order in which they are enqueued, all on one stream
};

struct ScheduleOptions {
  int prefetch = 1;  // blocks; of layerwise (see prefetch_blocks)
  int slots = 2;     // block slots; of planned
};

// The number of blocks that SGLang's --dit-offload-prefetch-size x stands for: 0 -> 1; below 1 -> 1 + round(x (layers -
// 1)); else int(x). At most layers - 1, which fetches every other block ahead, and at least 1.
int prefetch_blocks(double prefetch, int layers);

// Makes the schedule of an offload mode. `uses` must be list_uses(shape).
//   resident   both experts are copied before the loop, and stay.
//   swap       there is room for one expert. At the switch it is copied out, then the other in, and nothing else
//              happens meanwhile. (The copy out is SGLang's behaviour, which is to be measured; the host could have
//              kept the weights.)
//   layerwise  SGLang's layerwise manager: see schedule.cc.
//   snapshot   swap without the copy out: the host has kept the weights. SGLang's snapshot-offload.
//   planned    as many slots as the options say, used so that the fewest bytes are moved: schema/residency/residency.h.
//              The weights outside blocks of each expert that works are on the device from the start.
Schedule make_schedule(OffloadMode mode, const LoopShape& shape, std::span<const Use> uses,
                       const ScheduleOptions& options);

// Proves a schedule. Throws Error(internal), naming the transfer or the use, unless every use finds its block (and its
// expert's weights outside blocks) in its slot, and no slot is overwritten between the start of the copy that fills it
// and the last use of that block.
void check(const Schedule& schedule, std::span<const Use> uses);

// Whether anything is copied in after the loop has begun: then the host has to keep the weights.
bool reads_host_in_loop(const Schedule& schedule);
// Whether anything is copied out.
bool copies_out(const Schedule& schedule);

// The least link rate at which all copies in within the loop arrive in time, blocking copies left out.
LinkRate least_link_rate(const Schedule& schedule);

// {"slots": ..., "slot_of_use": [...], "transfers": {"expert": [1, ...], "block": [0, ...], "way": ["in", ...], ...}}:
// one array for each member, since there are thousands of transfers. Experts count from 1, as in traces; before_loop
// and no_use are null.
nlohmann::json to_json(const Schedule& schedule);

}  // namespace wansweep
