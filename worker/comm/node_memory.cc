// The first rank makes a file that exists in memory only (memfd), the others open it through /proc while it holds it
// open. The kernel frees the pages with the last mapping.

#include "worker/comm/node_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "base/files.h"
#include "base/mpi_check.h"

namespace wansweep {

namespace {

struct Owner {
  int64_t process = 0;
  int64_t descriptor = -1;
  int64_t error = 0;
};

}  // namespace

std::shared_ptr<void> share_on_node(MPI_Comm node, int64_t bytes) {
  int rank = 0;
  mpiCheck(MPI_Comm_rank(node, &rank));
  const auto size = static_cast<size_t>(bytes);
  FileDescriptor file;
  Owner owner;
  if (rank == 0) {
    file = FileDescriptor(memfd_create("wansweep", MFD_CLOEXEC));
    const bool made = file && ftruncate(file.get(), static_cast<off_t>(bytes)) == 0;
    owner = {getpid(), file.get(), made ? 0 : errno};
  }
  mpiCheck(MPI_Bcast(&owner, 3, MPI_INT64_T, 0, node));
  if (rank != 0 && owner.error == 0) {
    const std::string path = fmt::format("/proc/{}/fd/{}", owner.process, owner.descriptor);
    file = FileDescriptor(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file) owner.error = errno;
  }
  void* pages = MAP_FAILED;
  if (owner.error == 0) {
    pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (pages == MAP_FAILED) owner.error = errno;
  }
  std::shared_ptr<void> mapping;
  if (pages != MAP_FAILED) mapping = std::shared_ptr<void>(pages, [size](void* at) { munmap(at, size); });
  // Also what keeps the first rank's descriptor open until all have it.
  int64_t error = owner.error;
  mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &error, 1, MPI_INT64_T, MPI_MAX, node));
  if (error != 0) {
    throw Error(ExitCode::communicator, fmt::format("the ranks of this node cannot share {} bytes of memory: {}", bytes,
                                                    error_text(static_cast<int>(error))));
  }
  return mapping;
}

}  // namespace wansweep
