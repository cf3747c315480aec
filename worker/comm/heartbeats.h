// How far each rank of a node is, where its node-mates see it while MPI, the device or the disk hangs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "worker/comm/mpi_world.h"

namespace wansweep {

// What one rank publishes. It lies in memory that the ranks of a node share, where zeroed memory is a valid state.
struct Heartbeat {
  std::atomic<int64_t> process;  // 0: the rank has not published itself yet
  std::atomic<int64_t> beats;    // moves as long as the process runs, whatever its main thread waits for
  std::atomic<int32_t> rank;     // of the run
  std::atomic<int32_t> steps;    // that have ended
  std::atomic<int32_t> spoken;   // the first rank's: somebody has spoken for the node
};
static_assert(std::atomic<int64_t>::is_always_lock_free && std::atomic<int32_t>::is_always_lock_free);

// The board on which the ranks of a node publish; copies show the same one. Any thread may call it.
class Heartbeats {
 public:
  // For `node_ranks` ranks in zeroed memory of bytes_for(node_ranks). Publishes this process as the `own`th of the
  // node, which is `rank` of the run.
  Heartbeats(std::shared_ptr<void> memory, int node_ranks, int own, int rank);
  static int64_t bytes_for(int node_ranks);

  Heartbeat& own() const { return of_node()[static_cast<size_t>(own_)]; }
  std::span<Heartbeat> of_node() const;

  // True for one caller on the node, once: the one that speaks for all of them.
  bool may_speak() const;

 private:
  std::shared_ptr<void> memory_;
  int node_ranks_;
  int own_;
};

// The board of this rank's node; collective. Where its ranks cannot share memory, each has a board of its own, and sees
// only itself.
Heartbeats share_heartbeats(MpiWorld& world);

}  // namespace wansweep
