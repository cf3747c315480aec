// How much host memory there is still to take.
#pragma once

#include <cstdint>

namespace wansweep {

// Bytes that this process, which holds `in_use`, may still take beside `ranks - 1` others that want as much: a share of
// what its cgroup leaves or of what the kernel calls available, whichever is less. On machines whose memory grows as it
// is used both say too little: WANSWEEP_HOST_MEMORY=GiB says instead what a rank may take in all.
int64_t available_host_memory(int64_t in_use, int ranks);

}  // namespace wansweep
