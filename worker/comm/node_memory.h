// Memory that the ranks of one node share. It never has a name (nothing in /dev/shm), so that nothing is left behind,
// however the ranks end: the kernel frees it with the last mapping. Limits of /dev/shm do not count for it.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>

#include "worker/comm/node_segments.h"

namespace wansweep {

// Zeroed pages, mapped by every rank of `node` (a communicator of ranks on one host); freed with the last rank that
// holds them. Collective over `node`; when one rank cannot map them, all throw Error(communicator).
std::shared_ptr<void> share_on_node(MPI_Comm node, int64_t bytes);

// Large memory to be filled by all ranks at once: each brings `own_bytes`, and all map all. A rank's own are zeroed,
// present, and spread over the NUMA nodes that it may use, since ranks of all sockets read them. The control group of
// the rank that brings them is charged for them. Pages are huge ones where an administrator has reserved enough
// (vm.nr_hugepages), or else where the kernel makes them on request (Linux 6.1), or else small. Collective over `node`;
// when one rank cannot, all throw Error(host_memory).
NodeSegments share_segments(MPI_Comm node, int64_t own_bytes);

}  // namespace wansweep
