// Memory that the ranks of one node share. It has no name (nothing is in /dev/shm), so nothing is left behind when a
// rank is killed: the kernel frees the memory with the last mapping. Limits of /dev/shm do not apply.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>

#include "worker/comm/node_segments.h"

namespace wansweep {

// Zeroed pages that every rank of `node` (a communicator of ranks on one host) maps, freed with the last rank that
// holds them. Collective over `node`; when one rank cannot map them, all throw Error(communicator).
std::shared_ptr<void> share_on_node(MPI_Comm node, int64_t bytes);

// Large memory that all ranks fill at once: each rank provides `own_bytes`, and every rank maps all of it. The pages
// that a rank provides are zeroed, populated, and spread over the NUMA nodes that the rank may use, since ranks on all
// sockets read them; the rank's control group is charged for them. Pages are huge where an administrator has reserved
// enough (vm.nr_hugepages), or where the kernel makes them on request (Linux 6.1), and small otherwise. Collective over
// `node`; when one rank fails, all throw Error(host_memory).
NodeSegments share_segments(MPI_Comm node, int64_t own_bytes);

}  // namespace wansweep
