// The progress of each rank, in memory that the ranks of a node share: they see each other's while MPI, the device or
// the disk hangs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "worker/comm/mpi_world.h"

namespace wansweep {

// What one rank publishes. Zeroed memory is a valid state.
struct Heartbeat {
  std::atomic<int64_t> process;  // process id; 0: the rank has not published itself yet
  std::atomic<int64_t> beats;    // counts up as long as the process runs, also while its main thread waits
  std::atomic<int32_t> rank;     // number in the run
  std::atomic<int32_t> steps;    // number of steps that have ended
  std::atomic<int32_t> spoken;   // in the first rank's entry: some rank has reported for the node
};
static_assert(std::atomic<int64_t>::is_always_lock_free && std::atomic<int32_t>::is_always_lock_free);

// The board on which the ranks of a node publish. Copies refer to the same board. Any thread may call it.
class Heartbeats {
 public:
  // A board for `node_ranks` ranks in zeroed memory of bytes_for(node_ranks). Publishes this process, which is the
  // `own`th of the node and number `rank` in the run.
  Heartbeats(std::shared_ptr<void> memory, int node_ranks, int own, int rank);
  static int64_t bytes_for(int node_ranks);

  Heartbeat& own() const { return of_node()[static_cast<size_t>(own_)]; }
  std::span<Heartbeat> of_node() const;

  // True for exactly one caller on the node, which then reports for all of them.
  bool may_speak() const;

 private:
  std::shared_ptr<void> memory_;
  int node_ranks_;
  int own_;
};

// The board of this rank's node. Collective. Where the ranks cannot share memory, each has a board of its own and sees
// only itself.
Heartbeats share_heartbeats(MpiWorld& world);

}  // namespace wansweep
