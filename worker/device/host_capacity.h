// The host memory that ranks may use, in bytes.
//
// WANSWEEP_HOST_MEMORY (base/declared_memory.h) takes the place of what the system says; all ranks of the node share
// it.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

// The bytes that each of `node_ranks` ranks may allocate in all, before any has allocated.
int64_t host_memory_of_rank(int node_ranks);

// The bytes that a rank with `in_use` allocated bytes may still allocate; its peers may have allocated theirs already.
int64_t host_memory_left(int node_ranks, int64_t in_use);

// The bytes that the memory limits of this process's control group and of all groups above it leave: the minimum over
// the groups, INT64_MAX when there is no limit. Supports versions 1 and 2; cache that can be freed counts as left.
// `root` is the folder of proc/ and sys/, for tests.
int64_t left_in_cgroups(const std::string& root = "/");

}  // namespace wansweep
