// Exchange between GPUs through NCCL, on one stream.
//
// NCCL's kernel for an exchange starts when this rank reaches it, and waits on the device for its peers. So when the
// gate is to be closed, an exchange of one byte with the same peers goes first: at its end all peers have reached the
// exchange.

#include <mpi.h>
#include <nccl.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include "base/mpi_check.h"
#include "worker/comm/communicator.h"
#include "worker/comm/group.h"
#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/cuda_device_impl.h"

namespace wansweep {

namespace {

void nccl_check(ncclResult_t result, const char* call, const char* file, int line) {
  if (result == ncclSuccess) return;
  const char* detail = ncclGetLastError(nullptr);
  std::string why = ncclGetErrorString(result);
  if (detail != nullptr && *detail != '\0')
    why += std::string(": ") + std::string(detail).substr(0, std::strcspn(detail, "\n"));
  if (result == ncclInvalidUsage) why += "; ranks that share a GPU need --communicator ipc";
  throw Error(ExitCode::communicator, call_failed("NCCL", why, call, file, line));
}

#define ncclCheck(call) nccl_check((call), #call, __FILE__, __LINE__)

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(CudaDevice& device, CommunicatorPlace place)
      : Communicator(device, place.stream), device_(device), stream_(place.stream) {
    const RankGroup group(place.among);
    rank_ = group.rank();
    cudaCheck(cudaMalloc(&meeting_, 2 * static_cast<size_t>(group.size())));
    // NVLink multicast has crashed shared machines, and all-to-all and rings do not use it. A value set by the user
    // stays.
    setenv("NCCL_NVLS_ENABLE", "0", 0);
    ncclUniqueId id{};
    if (rank_ == 0) ncclCheck(ncclGetUniqueId(&id));
    mpiCheck(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, group.ranks()));
    ncclCheck(ncclCommInitRank(&comm_, group.size(), id, rank_));
    device_.add_failure_check(this, [this] { check_async(); });
  }
  ~NcclCommunicator() override {
    device_.remove_failure_check(this);
    // After a failure peers may be gone: destroying would wait for them.
    if (failed_) {
      ncclCommAbort(comm_);
    } else {
      ncclCommDestroy(comm_);
    }
    cudaFree(meeting_);
  }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  CommunicatorKind kind() const override { return CommunicatorKind::nccl; }

  void exchange(std::span<const Exchange> exchanges) override {
    if (must_close_gate()) {
      meet(exchanges);
      device_.close_gate(stream_);
    }
    move(exchanges);
    open_gate();
  }

 private:
  void move(std::span<const Exchange> exchanges) {
    const cudaStream_t stream = device_.stream(stream_);
    ncclCheck(ncclGroupStart());
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) continue;
      if (each.send_bytes > 0) {
        ncclCheck(ncclSend(each.send, static_cast<size_t>(each.send_bytes), ncclChar, each.peer, comm_, stream));
      }
      if (each.receive_bytes > 0) {
        ncclCheck(ncclRecv(each.receive, static_cast<size_t>(each.receive_bytes), ncclChar, each.peer, comm_, stream));
      }
    }
    ncclCheck(ncclGroupEnd());
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) device_.copy_device(stream_, each.receive, each.send, each.send_bytes);
    }
  }

  void meet(std::span<const Exchange> exchanges) {
    std::set<int> peers;
    for (const Exchange& each : exchanges) {
      if (each.peer != rank_) peers.insert(each.peer);
    }
    std::vector<Exchange> bytes;
    for (const int peer : peers) {
      std::byte* room = static_cast<std::byte*>(meeting_) + 2 * peer;
      bytes.push_back({peer, room, 1, room + 1, 1});
    }
    move(bytes);
  }

  void check_async() {
    ncclResult_t state = ncclSuccess;
    ncclCheck(ncclCommGetAsyncError(comm_, &state));
    if (state == ncclSuccess || state == ncclInProgress) return;
    failed_ = true;
    ncclCheck(state);
  }

  CudaDevice& device_;
  StreamId stream_;
  void* meeting_ = nullptr;  // two bytes a peer: sent, received
  ncclComm_t comm_ = nullptr;
  int rank_ = 0;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Device& device, CommunicatorPlace place) {
  return std::make_unique<NcclCommunicator>(static_cast<CudaDevice&>(device), place);
}

}  // namespace wansweep
