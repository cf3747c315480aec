// Large memory of a node, of which each rank provides one segment: see worker/comm/node_memory.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wansweep {

// The segment that one rank provides for all.
struct NodeSegment {
  std::shared_ptr<void> pages;  // null: the rank provides nothing
  int64_t bytes = 0;
};

struct NodeSegments {
  std::vector<NodeSegment> of_rank;  // by rank of the node
  std::string page_size;             // of this rank's segment: "2 MiB, reserved", "2 MiB, transparent" or "4 KiB"
};

}  // namespace wansweep
