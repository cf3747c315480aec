// Memory that the ranks of one node share. It never has a name, so that nothing is left behind, however the ranks end.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>

namespace wansweep {

// Zeroed pages, mapped by every rank of `node` (a communicator of ranks on one host); freed with the last rank that
// holds them. Collective over `node`; when one rank cannot map them, all throw Error(communicator).
std::shared_ptr<void> share_on_node(MPI_Comm node, int64_t bytes);

}  // namespace wansweep
