// Brings weights to the device according to a schedule (schema/schedule.h): the transfers before the loop have ended
// when the loop begins, and the others are enqueued during the loop. Results never depend on the schedule.
//
// Only the rank's main thread calls a streamer, in the order of the uses.
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

// The uses of a rank's loop, and the schedule of copies for them.
struct OffloadPlan {
  std::vector<Use> uses;
  Schedule schedule;
  WeightBytes bytes;
  HostMemory host_memory = HostMemory::pinned;
  CopyOptions copies = {};
};

// The rank's own copy of the weights on the host; nullopt when the schedule copies nothing in while the loop runs.
std::optional<HostStore> load_host_store(Device& device, const OffloadPlan& plan, const WeightSource& source);

class Streamer {
 public:
  // Allocates the slots. Throws Error(device_memory), Error(host_memory).
  Streamer(Device& device, Recorder& recorder, OffloadPlan plan, std::optional<HostStore> store);
  Streamer(const Streamer&) = delete;
  Streamer& operator=(const Streamer&) = delete;

  // Does the first load: makes the transfers before the loop, from the store or, without a store, from `source` piece
  // by piece, and waits until all have arrived. To be called once, before the first use. Throws as the source does.
  // With cooperative copies, ranks wait here for all their peers.
  void load(const WeightSource& source);

  // Returns the weights outside blocks of the expert that the next use belongs to. The compute stream waits until they
  // have arrived. They stay valid until the next call. To be called before the first use of a forward.
  const std::byte* other(int expert);

  // Returns the weights of the use's block. The compute stream waits until they have arrived. They stay valid until
  // release().
  const std::byte* acquire(const Use& use);
  // To be called when all work of the acquired use is enqueued on the compute stream.
  void release(const Use& use);

 private:
  struct Slots {
    Buffer memory;
    int64_t bytes = 0;           // of one slot
    std::vector<Event> arrived;  // by slot; null: no wait is needed
    std::byte* at(int32_t slot) const { return memory.data() + slot * bytes; }
  };
  // Host buffers that the copies of one stream use in turn.
  struct Ring {
    Buffer memory;
    int64_t bytes = 0;  // of one buffer
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
  Event before_next_use_;  // the end of the use before the next one, when a transfer waits for it
  FinishOnExit finish_;    // declared last: copies from and to all members above may be under way
};

}  // namespace wansweep
