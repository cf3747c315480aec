// Brings weights to the device by a schedule (schema/schedule.h): what comes before the loop is there when it begins,
// the rest is enqueued as the loop goes on. Results never depend on the schedule.
//
// The rank's main thread calls it, from the first use to the last, in the order of the uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "schema/memory_estimate.h"
#include "schema/schedule.h"
#include "schema/uses.h"
#include "worker/device/device.h"
#include "worker/offload/copier.h"
#include "worker/trace/recorder.h"
#include "worker/weights/host_store.h"
#include "worker/weights/weight_source.h"

namespace wansweep {

// What a rank's loop uses, and what is to be moved for it.
struct OffloadPlan {
  std::vector<Use> uses;
  Schedule schedule;
  WeightBytes bytes;
  HostMemory host_memory = HostMemory::pinned;
  CopyOptions copies = {};
};

// The host's copy, the rank's own, when the schedule reads one while the loop runs; nullopt when it does not.
std::optional<HostStore> load_host_store(Device& device, const OffloadPlan& plan, const WeightSource& source);

class Streamer {
 public:
  // Takes the device's memory. Throws Error(device_memory), Error(host_memory).
  Streamer(Device& device, Recorder& recorder, OffloadPlan plan, std::optional<HostStore> store);
  Streamer(const Streamer&) = delete;
  Streamer& operator=(const Streamer&) = delete;

  // Copies what comes before the loop, from the store, or from `source` piece by piece when there is no store, and
  // waits until it is there. Once, before the first use. Throws what the source throws. Ranks that bring parts for each
  // other wait here for all of them.
  void load(const WeightSource& source);

  // The weights outside blocks of the expert that the next use is of; the compute stream waits until they are there.
  // They stay until the next call. To be called between uses, before the first of a forward.
  const std::byte* other(int expert);

  // A block's weights; the compute stream waits until they are there. They stay until release().
  const std::byte* acquire(const Use& use);
  // The work of the use that was acquired is enqueued on the compute stream.
  void release(const Use& use);

 private:
  struct Slots {
    Buffer memory;
    int64_t bytes = 0;           // of one
    std::vector<Event> arrived;  // by slot; null: nobody needs to wait
    std::byte* at(int32_t slot) const { return memory.data() + slot * bytes; }
  };
  // Host buffers, taken in turn by copies of one stream.
  struct Ring {
    Buffer memory;
    int64_t bytes = 0;  // of one
    std::vector<Event> last_copy;
    size_t next = 0;
  };

  Copy copy_of(const Transfer& transfer, const std::byte* from);
  Slots& slots_for(const Transfer& transfer) { return transfer.block == outside_blocks ? others_ : blocks_; }
  void enqueue_for_next_use();
  void switch_experts(size_t end);
  std::byte* take_from_ring();
  const std::byte* on_host(const Transfer& transfer) const;
  void await(Event& arrived, Place place);
  void expect(const Use& use) const;

  Device& device_;
  Recorder& recorder_;
  OffloadPlan plan_;
  Copier copier_;
  std::optional<HostStore> store_;
  Slots blocks_, others_;
  Ring ring_;
  size_t next_transfer_ = 0;
  int32_t next_use_ = 0;
  Event before_next_use_;  // the end of the use before it, when a transfer waits for that
  FinishOnExit finish_;    // last: copies may be under way from and to all of the above
};

}  // namespace wansweep
