// How much host memory there is to take.
//
// WANSWEEP_HOST_MEMORY (base/declared_memory.h) takes the place of what the system says; all ranks of the node share
// it.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

// Bytes that each of `node_ranks` ranks may take in all, when none has taken any yet.
int64_t host_memory_of_rank(int node_ranks);

// Bytes that a rank which holds `in_use` may still take now; its peers may hold theirs already.
int64_t host_memory_left(int node_ranks, int64_t in_use);

// What the memory limits of this process's control groups, its own and all above it, still leave: the least of them,
// INT64_MAX when there is no limit. Versions 1 and 2; cache that a group would give up counts as left. `root`: where
// proc/ and sys/ are, for tests.
int64_t left_in_cgroups(const std::string& root = "/");

}  // namespace wansweep
