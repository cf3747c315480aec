// Which copy of weights goes where and when. An offload mode is a function that makes a schedule from the list of uses;
// the worker's streamer serves any schedule, and memory and bytes moved are sums over it. Touches no device.
//
// A slot is room for one block on the device. Weights outside the blocks (embeddings, projection: a hundredth of an
// expert) have rooms of their own, and are copied as "block" `outside_blocks`.
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

// Between host and device, as the device sees it.
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
  int32_t slot = 0;              // of the blocks' slots, or of the rooms for weights outside blocks
  int32_t starts = before_loop;  // index of a use: may start when that use does, for all uses before it have ended
  int32_t needed = no_use;       // index of the first use that waits for it; no_use: the policy moves it all the same
  bool blocking = false;         // nothing is computed meanwhile, and the host waits for its end
};

struct Schedule {
  int slots = 0;                     // for blocks
  int other_slots = 0;               // for weights outside blocks
  std::vector<int32_t> slot_of_use;  // by use: where its block lies
  std::vector<int32_t> other_slot;   // by expert: where its weights outside blocks lie while it works
  std::vector<Transfer> transfers;   // in the order in which they are enqueued, on one stream
};

struct ScheduleOptions {
  int prefetch = 1;  // blocks; layerwise only (see prefetch_blocks)
  int slots = 2;     // for blocks; planned only
};

// How many blocks SGLang's --dit-offload-prefetch-size means: 0 -> 1; below 1 -> 1 + round(x (layers - 1)); else
// int(x). At most layers - 1, where every block is on its way already, and at least 1.
int prefetch_blocks(double prefetch, int layers);

// `uses` must be list_uses(shape).
//   resident   both experts are copied before the loop, and stay.
//   swap       one expert has room. At the switch it is copied out, then the other in, and nothing else happens
//              meanwhile. It leaves although the host could have kept it: that is what SGLang does, and is measured.
//   layerwise  SGLang's layerwise manager: see schedule.cc.
//   snapshot   swap, but nothing is copied out: the host's copy is what it was. SGLang's snapshot-offload.
//   planned    as many slots as the options say, used so that least is moved: schema/residency/residency.h. The weights
//              outside blocks of each expert that works are there from the start.
Schedule make_schedule(OffloadMode mode, const LoopShape& shape, std::span<const Use> uses,
                       const ScheduleOptions& options);

// Throws Error(internal) naming the transfer or the use, unless every use finds its block (and its expert's weights
// outside blocks) in its slot, and no slot is overwritten between a copy's start and the last use of what it holds.
void check(const Schedule& schedule, std::span<const Use> uses);

// True when something is copied in after the loop has begun: then the host has to keep the weights.
bool reads_host_in_loop(const Schedule& schedule);
// True when something is copied out.
bool copies_out(const Schedule& schedule);

// The least rate of a link that brings what is copied in within the loop in time, copies that nothing is computed
// beside left out.
LinkRate least_link_rate(const Schedule& schedule);

// {"slots": ..., "slot_of_use": [...], "transfers": {"expert": [1, ...], "block": [0, ...], "way": ["in", ...], ...}}:
// a column a member, for there are thousands. Experts count from 1 as in traces, and what has no value is null.
nlohmann::json to_json(const Schedule& schedule);

}  // namespace wansweep
