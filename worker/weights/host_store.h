// All experts' weights in host memory, in the device's layout: copies to the device read them while the loop runs.
//
// A private store is the rank's own copy. A shared store is one copy on each node: its ranks load one part each, and
// every rank registers all of it with its device. The shared memory has no name and is freed with the last rank that
// holds it (worker/comm/node_memory.h).
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

// How a store was made. Times are this rank's, in seconds; a shared store is filled and registered at the same time.
struct HostStoreReport {
  HostStoreKind kind = HostStoreKind::per_rank;
  int64_t bytes = 0;        // the whole store
  int64_t own_bytes = 0;    // the part that this rank provides, and is charged for
  std::string page_size;    // shared: page size of this rank's part; private: decided by the device
  double present_s = 0;     // until the memory was populated (private: and registered)
  double filled_s = 0;      // until the weights were loaded
  double registered_s = 0;  // shared: until the device could copy from the memory
  double total_s = 0;       // shared: until all ranks had finished
};

// Immutable after construction.
class HostStore {
 public:
  // A private store: allocates host memory of `kind` and reads all of `source`. Throws Error(host_memory), and as the
  // source does.
  HostStore(Device& device, const WeightBytes& bytes, HostMemory kind, const WeightSource& source);

  // A shared store. Collective over all ranks of `world`; the ranks of a node share one store. A failure on one rank is
  // thrown on all, as a CommonError.
  static HostStore load_shared(MpiWorld& world, Device& device, const WeightBytes& bytes, HostMemory kind,
                               const WeightSource& source);

  // The weights of one block of an expert, or those outside blocks (block == outside_blocks).
  std::span<const std::byte> piece(int expert, int block) const;

  const HostStoreReport& report() const { return report_; }

 private:
  HostStore() = default;

  int layers_ = 0;
  std::vector<Buffer> memory_;                      // owns the pieces
  std::vector<std::span<const std::byte>> pieces_;  // for each expert its blocks, then the weights outside blocks
  HostStoreReport report_;
};

// Which rank of a node provides which piece of a shared store, and its place: the pieces of a rank lie one after the
// other in its segment. Neighbouring pieces belong to different ranks, so that all have the same amount of work.
struct StorePart {
  int expert = 0;
  int block = 0;  // or outside_blocks
  int node_rank = 0;
  int64_t offset = 0;  // bytes, in the rank's segment
  int64_t bytes = 0;
};
std::vector<StorePart> parts_of_store(const WeightBytes& bytes, int node_ranks);

}  // namespace wansweep
