// Who brings a block's weights to the device, and when. The loop asks for blocks in the order it uses them; a mode
// decides what is there already, what is on its way, and what is dropped. Results never depend on the mode.
#pragma once

#include <memory>
#include <vector>

#include "worker/device/device.h"
#include "worker/trace/recorder.h"
#include "worker/weights/expert_weights.h"

namespace wansweep {

class Offload {
 public:
  virtual ~Offload() = default;

  // The step that begins works with `expert` (0: transformer, 1: transformer_2).
  virtual void begin_step(int expert) = 0;

  // A block's weights; the compute stream waits until they are there. Until release(), at least, they stay.
  virtual const std::byte* acquire(int expert, int block) = 0;

  // The block's last use so far is enqueued on the compute stream.
  virtual void release(int expert, int block) = 0;

  // The expert's weights that are no block.
  virtual const std::byte* rest(int expert) = 0;
};

struct OffloadRequest {
  Device& device;
  Recorder& recorder;
  std::vector<ExpertWeights>& experts;  // one or two, on the host; `resident` frees them once they are copied
  int prefetch = 1;                     // blocks; layerwise only
};

// Both experts on the device from the start: the baseline.
std::unique_ptr<Offload> make_resident(const OffloadRequest& request);

// SGLang's --dit-cpu-offload: one expert on the device; at the switch it is copied out, then the other in, both
// blocking.
std::unique_ptr<Offload> make_swap(const OffloadRequest& request);

// SGLang's --dit-layerwise-offload: blocks stream from the host while others compute, wrapping around from the last
// block to the first, so that the next forward, or the other expert, finds its leading blocks in place.
std::unique_ptr<Offload> make_layerwise(const OffloadRequest& request);

std::unique_ptr<Offload> make_offload(OffloadMode mode, const OffloadRequest& request);

}  // namespace wansweep
