// How much host memory there is to take.
//
// Where the system cannot know, on machines whose memory grows as it is used, WANSWEEP_HOST_MEMORY says instead how
// many GiB the host has for wansweep: all ranks of the node share them. A value that is no number above 0 is bad_input.
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
