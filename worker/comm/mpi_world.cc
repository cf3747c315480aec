// MPI returns its errors as codes, so that a failure ends with one error line and an exit code of ours. The members of
// Impl are in the order in which MPI must start: shared memory and the node's communicator are freed before
// MPI_Finalize, also when the constructor throws.
// Every rank makes the same calls in the same order. all_or_none keeps this true after an error: it turns one rank's
// failure into an exception on all ranks. When the other ranks cannot learn of a failure, only abort() is left.
// The clock offset assumes that the answer was given half-way through the exchange. The fastest exchange is used, and
// half of its round trip bounds the error.

#include "worker/comm/mpi_world.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/clock.h"
#include "base/mpi_check.h"
#include "worker/comm/node_memory.h"

namespace wansweep {

struct MpiWorld::Impl {
  // MPI itself: initialised first and finalised last, also when the rest of the constructor throws.
  struct Library {
    Library(int* argc, char*** argv) {
      int provided = 0;
      mpiCheck(MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided));
      threads = provided == MPI_THREAD_MULTIPLE;
    }
    ~Library() { mpiCheckAtEnd(MPI_Finalize()); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    bool threads = false;
  };
  struct NodeRanks {
    NodeRanks() {
      mpiCheck(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &communicator));
    }
    ~NodeRanks() { mpiCheckAtEnd(MPI_Comm_free(&communicator)); }
    NodeRanks(const NodeRanks&) = delete;
    NodeRanks& operator=(const NodeRanks&) = delete;
    MPI_Comm communicator = MPI_COMM_NULL;
  };

  Impl(int* argc, char*** argv) : library(argc, argv) {
    mpiCheck(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    node.emplace();
    mpiCheck(MPI_Comm_set_errhandler(node->communicator, MPI_ERRORS_RETURN));
  }

  Library library;
  std::optional<NodeRanks> node;
  std::shared_ptr<void> link;
};

MpiWorld::MpiWorld(int* argc, char*** argv) : impl_(std::make_unique<Impl>(argc, argv)) {
  mpiCheck(MPI_Comm_rank(MPI_COMM_WORLD, &rank_));
  mpiCheck(MPI_Comm_size(MPI_COMM_WORLD, &ranks_));
  if (!impl_->library.threads && ranks_ > 1) {
    throw Error(ExitCode::communicator, "MPI was built without MPI_THREAD_MULTIPLE, which the worker needs");
  }
  mpiCheck(MPI_Comm_rank(impl_->node->communicator, &node_rank_));
  mpiCheck(MPI_Comm_size(impl_->node->communicator, &node_ranks_));
}

MpiWorld::~MpiWorld() = default;

void MpiWorld::all_or_none(const std::function<void()>& work) {
  int code = 0;
  std::string line;
  try {
    work();
  } catch (const Error& error) {
    code = static_cast<int>(error.code());
    line = error.what();
  } catch (const std::bad_alloc&) {
    code = static_cast<int>(ExitCode::host_memory);
    line = "host memory: an allocation failed";
  } catch (const std::exception& error) {
    code = static_cast<int>(ExitCode::internal);
    line = error.what();
  }
  int failed = code != 0 ? rank_ : ranks_;
  mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  if (failed == ranks_) return;
  std::array<char, 2048> text{};
  std::strncpy(text.data(), line.c_str(), text.size() - 1);
  mpiCheck(MPI_Bcast(&code, 1, MPI_INT, failed, MPI_COMM_WORLD));
  mpiCheck(MPI_Bcast(text.data(), static_cast<int>(text.size()), MPI_CHAR, failed, MPI_COMM_WORLD));
  throw CommonError(static_cast<ExitCode>(code), text.data(), failed);
}

bool MpiWorld::any(bool value) {
  int flag = value ? 1 : 0;
  if (ranks_ > 1) mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
  return flag != 0;
}

double MpiWorld::most(double value) {
  if (ranks_ > 1) mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return value;
}

void MpiWorld::abort(ExitCode code) {
  int started = 0, ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  if (started != 0 && ended == 0) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

ClockRow MpiWorld::measure_clock(bool at_end) {
  constexpr int exchanges = 32;
  ClockRow row;
  row.at_end = at_end ? 1 : 0;
  for (int peer = 1; peer < ranks_; ++peer) {
    if (rank_ == 0) {
      for (int i = 0; i < exchanges; ++i) {
        int64_t now = 0;
        mpiCheck(MPI_Recv(&now, 1, MPI_INT64_T, peer, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        now = monotonic_ns();
        mpiCheck(MPI_Send(&now, 1, MPI_INT64_T, peer, 1, MPI_COMM_WORLD));
      }
    } else if (rank_ == peer) {
      for (int i = 0; i < exchanges; ++i) {
        const int64_t sent = monotonic_ns();
        int64_t theirs = sent;
        mpiCheck(MPI_Send(&theirs, 1, MPI_INT64_T, 0, 1, MPI_COMM_WORLD));
        mpiCheck(MPI_Recv(&theirs, 1, MPI_INT64_T, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        const int64_t received = monotonic_ns();
        if (i == 0 || received - sent < row.round_trip_ns) {
          row.round_trip_ns = received - sent;
          row.offset_ns = theirs - (sent + received) / 2;
        }
      }
    }
  }
  row.time_ns = monotonic_ns();
  return row;
}

std::vector<float> MpiWorld::gather(const std::vector<float>& values, int contributors) {
  const auto count = static_cast<int>(values.size());
  std::vector<float> all;
  if (rank_ == 0) {
    all = values;
    all.resize(values.size() * static_cast<size_t>(contributors));
    for (int peer = 1; peer < contributors; ++peer) {
      mpiCheck(MPI_Recv(all.data() + values.size() * static_cast<size_t>(peer), count, MPI_FLOAT, peer, 2,
                        MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    }
  } else if (rank_ < contributors) {
    mpiCheck(MPI_Send(values.data(), count, MPI_FLOAT, 0, 2, MPI_COMM_WORLD));
  }
  return all;
}

std::vector<std::string> MpiWorld::gather_text(const std::string& text) {
  std::vector<std::string> all;
  if (rank_ != 0) {
    mpiCheck(MPI_Send(text.data(), static_cast<int>(text.size()), MPI_CHAR, 0, 3, MPI_COMM_WORLD));
    return all;
  }
  all.push_back(text);
  for (int peer = 1; peer < ranks_; ++peer) {
    MPI_Status status;
    int size = 0;
    mpiCheck(MPI_Probe(peer, 3, MPI_COMM_WORLD, &status));
    mpiCheck(MPI_Get_count(&status, MPI_CHAR, &size));
    std::string theirs(static_cast<size_t>(size), '\0');
    mpiCheck(MPI_Recv(theirs.data(), size, MPI_CHAR, peer, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    all.push_back(std::move(theirs));
  }
  return all;
}

std::string MpiWorld::broadcast_text(const std::string& text) {
  auto size = static_cast<int64_t>(text.size());
  mpiCheck(MPI_Bcast(&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD));
  std::string all = text;
  all.resize(static_cast<size_t>(size));
  mpiCheck(MPI_Bcast(all.data(), static_cast<int>(size), MPI_CHAR, 0, MPI_COMM_WORLD));
  return all;
}

std::shared_ptr<void> MpiWorld::shared_memory(int64_t bytes) { return share_on_node(impl_->node->communicator, bytes); }

NodeSegments MpiWorld::shared_segments(int64_t own_bytes) {
  return share_segments(impl_->node->communicator, own_bytes);
}

LinkState* MpiWorld::shared_link_state() {
  const MPI_Comm node = impl_->node->communicator;
  impl_->link = share_on_node(node, sizeof(LinkState));
  if (node_rank_ == 0) new (impl_->link.get()) LinkState{};
  mpiCheck(MPI_Barrier(node));
  return static_cast<LinkState*>(impl_->link.get());
}

}  // namespace wansweep
