// The ranks of a run: MPI's start and end, agreement on errors, clock offsets, and gathering of results on rank 0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "schema/trace_rows.h"
#include "worker/comm/node_segments.h"
#include "worker/device/cpu/link.h"

namespace wansweep {

// A failure that every rank knows of: all ranks end in order, and `rank` reports it.
class CommonError : public Error {
 public:
  CommonError(ExitCode code, const std::string& line, int rank) : Error(code, line), rank_(rank) {}
  int rank() const { return rank_; }

 private:
  int rank_;
};

class MpiWorld {
 public:
  // Starts MPI with support for threads: the comm stream and the main thread both call MPI. Every call of this class
  // that communicates throws Error(communicator) when MPI reports a failure.
  MpiWorld(int* argc, char*** argv);
  ~MpiWorld();
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;

  int rank() const { return rank_; }
  int ranks() const { return ranks_; }
  // This rank's number among the ranks of its node, which are numbered in the run's order, and their number.
  int node_rank() const { return node_rank_; }
  int node_ranks() const { return node_ranks_; }

  // Runs `work` on every rank, and tells all ranks whether it threw. If it did on any, every rank throws a CommonError
  // with the line of the lowest rank that failed, so that no rank waits for one that has ended. Collective.
  void all_or_none(const std::function<void()>& work);

  // Whether `value` is true on any rank. Collective.
  bool any(bool value);
  // The largest of all ranks' values. Collective.
  double most(double value);
  // Ends the whole job at once, for failures that the other ranks do not know of. Without MPI, ends this process.
  [[noreturn]] static void abort(ExitCode code);

  // Rank 0's clock minus this rank's, measured by the fastest of several exchanges. Collective.
  ClockRow measure_clock(bool at_end);

  // Rank 0 gets the `count` values of each of the first `contributors` ranks, in rank order; the others get an empty
  // list.
  std::vector<float> gather(const std::vector<float>& values, int contributors);
  // Rank 0 gets every rank's text.
  std::vector<std::string> gather_text(const std::string& text);

  // Every rank gets rank 0's text.
  std::string broadcast_text(const std::string& text);

  // Zeroed memory that all ranks of this node share (worker/comm/node_memory.h); collective over them.
  std::shared_ptr<void> shared_memory(int64_t bytes);
  // Large memory of which each rank of this node provides a part; collective over them.
  NodeSegments shared_segments(int64_t own_bytes);
  // Zeroed memory for the link that the ranks of this node share. Lives as long as the world.
  LinkState* shared_link_state();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int rank_ = 0;
  int ranks_ = 1;
  int node_rank_ = 0;
  int node_ranks_ = 1;
};

}  // namespace wansweep
