// All experts' weights on the host, as the device wants them: what copies to the device read while the loop runs.
//
// Private: a copy of the rank's own. Shared: one copy a node, which its ranks load together, each a part, and which
// every one of them registers with its device. Its memory has no name and ends with the last rank that holds it
// (worker/comm/node_memory.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "schema/memory_estimate.h"
#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"
#include "worker/weights/weight_source.h"

namespace wansweep {

// How a store came to be. Seconds of this rank; filling and registering a shared store happen at the same time.
struct HostStoreReport {
  HostStoreKind kind = HostStoreKind::per_rank;
  int64_t bytes = 0;        // of the whole store
  int64_t own_bytes = 0;    // that this rank has brought, and is charged for
  std::string page_size;    // shared: of this rank's own; private: the device decides
  double present_s = 0;     // until its memory was there (private: and registered)
  double filled_s = 0;      // until its weights were there
  double registered_s = 0;  // shared: until the device could copy from it
  double total_s = 0;       // shared: until all ranks were done
};

// Const once it is made.
class HostStore {
 public:
  // The rank's own: allocates host memory of `kind` and reads all of `source`. Throws Error(host_memory), or what the
  // source throws.
  HostStore(Device& device, const WeightBytes& bytes, HostMemory kind, const WeightSource& source);

  // The node's. Collective over all ranks of `world`, of which those of a node share one; what goes wrong on one rank
  // is thrown on all, as a CommonError.
  static HostStore load_shared(MpiWorld& world, Device& device, const WeightBytes& bytes, HostMemory kind,
                               const WeightSource& source);

  // One block of an expert, or its weights outside blocks (block == outside_blocks).
  std::span<const std::byte> piece(int expert, int block) const;

  const HostStoreReport& report() const { return report_; }

 private:
  HostStore() = default;

  int layers_ = 0;
  std::vector<Buffer> memory_;                      // what keeps the pieces
  std::vector<std::span<const std::byte>> pieces_;  // by expert: its blocks, then the rest of it
  HostStoreReport report_;
};

// Which rank of a node brings which piece of a shared store, and where: the pieces of each rank lie one behind the
// other in its segment. Neighbours go to different ranks, so that all have as much to do.
struct StorePart {
  int expert = 0;
  int block = 0;  // or outside_blocks
  int node_rank = 0;
  int64_t offset = 0;  // in that rank's segment
  int64_t bytes = 0;
};
std::vector<StorePart> parts_of_store(const WeightBytes& bytes, int node_ranks);

}  // namespace wansweep
