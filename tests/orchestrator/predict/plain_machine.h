// A machine whose numbers are round and sure.
#pragma once

#include "orchestrator/machines/machine.h"

namespace wansweep {

inline Measured exactly(double value) { return {value, value, value, 1, "a test"}; }

// 500 TFLOP/s, copies of 50 GB/s alone and 40 with four, exchanges of 100 GB/s; no spread anywhere.
inline Machine plain() {
  Machine machine;
  machine.name = "plain";
  machine.gpus_per_node = 4;
  machine.compute.products = {{Precision::bf16, 8190, exactly(500)}};
  machine.compute.attention = {{Precision::bf16, 8190, exactly(500)}};
  for (const Way way : {Way::in, Way::out}) {
    machine.links.copies.push_back({way, HostMemory::pinned, 1, Beside::nothing, exactly(50)});
    machine.links.copies.push_back({way, HostMemory::pinned, 4, Beside::nothing, exactly(40)});
  }
  machine.links.exchanges = {{4, Beside::nothing, {}, exactly(100)}};
  return machine;
}

}  // namespace wansweep
