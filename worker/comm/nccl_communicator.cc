// Exchange between GPUs through NCCL, on the comm stream.

#include <mpi.h>
#include <nccl.h>

#include <cstdlib>
#include <cstring>

#include "base/mpi_check.h"
#include "worker/comm/communicator.h"
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
  explicit NcclCommunicator(CudaDevice& device) : device_(device) {
    int ranks = 0;
    mpiCheck(MPI_Comm_rank(MPI_COMM_WORLD, &rank_));
    mpiCheck(MPI_Comm_size(MPI_COMM_WORLD, &ranks));
    // NVLink multicast has put shared machines out of service; all-to-all and rings do not use it. Who sets it knows.
    setenv("NCCL_NVLS_ENABLE", "0", 0);
    ncclUniqueId id{};
    if (rank_ == 0) ncclCheck(ncclGetUniqueId(&id));
    mpiCheck(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
    ncclCheck(ncclCommInitRank(&comm_, ranks, id, rank_));
    device_.set_failure_check([this] { check_async(); });
  }
  ~NcclCommunicator() override {
    device_.set_failure_check(nullptr);
    // After a failure peers may be gone: destroying would wait for them.
    if (failed_) {
      ncclCommAbort(comm_);
    } else {
      ncclCommDestroy(comm_);
    }
  }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  void exchange(std::span<const Exchange> exchanges) override {
    const cudaStream_t stream = device_.stream(StreamId::comm);
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
      if (each.peer == rank_) device_.copy_device(StreamId::comm, each.receive, each.send, each.send_bytes);
    }
  }

 private:
  void check_async() {
    ncclResult_t state = ncclSuccess;
    ncclCheck(ncclCommGetAsyncError(comm_, &state));
    if (state == ncclSuccess || state == ncclInProgress) return;
    failed_ = true;
    ncclCheck(state);
  }

  CudaDevice& device_;
  ncclComm_t comm_ = nullptr;
  int rank_ = 0;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Device& device) {
  return std::make_unique<NcclCommunicator>(static_cast<CudaDevice&>(device));
}

}  // namespace wansweep
