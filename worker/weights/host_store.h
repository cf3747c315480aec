// All experts' weights on the host, as the device wants them: what copies to the device read while the loop runs.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "schema/memory_estimate.h"
#include "worker/device/device.h"
#include "worker/weights/weight_source.h"

namespace wansweep {

// Const once it is made. The rank's own.
class HostStore {
 public:
  // Allocates host memory of `kind` and reads all of `source`. Throws Error(host_memory), or what the source throws.
  HostStore(Device& device, const WeightBytes& bytes, HostMemory kind, const WeightSource& source);

  // One block of an expert, or its weights outside blocks (block == outside_blocks).
  std::span<const std::byte> piece(int expert, int block) const;

 private:
  WeightBytes bytes_;
  std::vector<Buffer> experts_;  // all blocks of an expert and, behind them, the rest of it
};

}  // namespace wansweep
