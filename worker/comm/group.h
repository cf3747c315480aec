// The ranks of a communicator, as an MPI communicator.
#pragma once

#include <mpi.h>

#include <vector>

#include "base/mpi_check.h"
#include "worker/comm/communicator.h"

namespace wansweep {

// Owns an MPI communicator whose errors are returned as codes. Making one is collective over its ranks.
class RankGroup {
 public:
  explicit RankGroup(Among among) {
    switch (among) {
      case Among::run:
        mpiCheck(MPI_Comm_dup(MPI_COMM_WORLD, &ranks_));
        break;
      case Among::node:
        mpiCheck(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &ranks_));
        break;
    }
    mpiCheck(MPI_Comm_set_errhandler(ranks_, MPI_ERRORS_RETURN));
  }
  ~RankGroup() { mpiCheckAtEnd(MPI_Comm_free(&ranks_)); }
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  MPI_Comm ranks() const { return ranks_; }
  int rank() const {
    int rank = 0;
    mpiCheck(MPI_Comm_rank(ranks_, &rank));
    return rank;
  }
  int size() const {
    int size = 0;
    mpiCheck(MPI_Comm_size(ranks_, &size));
    return size;
  }

  // For each rank of the communicator: whether it is on this rank's node. Collective.
  std::vector<bool> on_this_node() const {
    MPI_Comm node = MPI_COMM_NULL;
    mpiCheck(MPI_Comm_split_type(ranks_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    int node_size = 0;
    mpiCheck(MPI_Comm_size(node, &node_size));
    const int own = rank();
    std::vector<int> there(static_cast<size_t>(node_size));
    mpiCheck(MPI_Allgather(&own, 1, MPI_INT, there.data(), 1, MPI_INT, node));
    mpiCheck(MPI_Comm_free(&node));
    std::vector<bool> near(static_cast<size_t>(size()));
    for (const int each : there) near.at(static_cast<size_t>(each)) = true;
    return near;
  }

 private:
  MPI_Comm ranks_ = MPI_COMM_NULL;
};

}  // namespace wansweep
