// A rank creates a file that exists only in memory (memfd); the others open it through /proc while the rank holds it
// open. The kernel frees the pages with the last mapping.
//
// All cores populate large segments before they are shared: the first touch of a page decides its NUMA node and the
// control group that is charged for it, and takes longer than filling it. Each rank's segment is a file of its own,
// because the kernel adds pages to a file under one lock. When there are too few reserved huge pages, or they are
// forbidden, the populating call fails and other pages are used; a plain touch would end the process with SIGBUS.
//
// Transparent huge pages for shared memory are off by default (shmem_enabled is "never"), and stay off for page faults.
// But a range can be collapsed into huge pages on request in any case (MADV_COLLAPSE, Linux 6.1). For a range with a
// single small page that costs no more than populating it. The mapping must begin at a multiple of 2 MiB.

#include "worker/comm/node_memory.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "base/files.h"
#include "base/mpi_check.h"
#include "base/parallel_for.h"
#include "base/units.h"

namespace wansweep {

namespace {

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

constexpr int64_t huge_page = int64_t{2} << 20;
constexpr int64_t small_page = 4096;

struct Owner {
  int64_t process = 0;
  int64_t descriptor = -1;
  int64_t bytes = 0;
  int64_t error = 0;
};

// A mapping that begins at a multiple of 2 MiB.
std::shared_ptr<void> map_shared(int descriptor, int64_t bytes, int64_t* error) {
  const auto size = static_cast<size_t>(bytes);
  constexpr auto step = static_cast<size_t>(huge_page);
  void* room = mmap(nullptr, size + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    *error = errno;
    return nullptr;
  }
  const std::shared_ptr<void> kept(room, [size](void* at) { munmap(at, size + step); });
  void* aligned = room;
  size_t space = size + step;
  std::align(step, size, aligned, space);
  if (mmap(aligned, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    *error = errno;
    return nullptr;
  }
  return {kept, aligned};
}

FileDescriptor open_of(const Owner& owner) {
  const std::string path = fmt::format("/proc/{}/fd/{}", owner.process, owner.descriptor);
  return FileDescriptor(open(path.c_str(), O_RDWR | O_CLOEXEC));
}

FileDescriptor make_file(int64_t bytes, unsigned flags) {
  FileDescriptor file(memfd_create("wansweep", MFD_CLOEXEC | flags));
  if (file && ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) file.close();
  return file;
}

// --- large segments

// Asks for pages from all allowed NUMA nodes in turn, before the first touch. Does nothing where that is impossible.
void interleave(void* pages, int64_t bytes) {
  std::array<unsigned long, 16> nodes{};  // NOLINT(google-runtime-int): the kernel's own type
  constexpr unsigned long bits = nodes.size() * 8 * sizeof(nodes[0]);
  if (syscall(SYS_get_mempolicy, nullptr, nodes.data(), bits, nullptr, MPOL_F_MEMS_ALLOWED) != 0) return;
  syscall(SYS_mbind, pages, static_cast<size_t>(bytes), MPOL_INTERLEAVE, nodes.data(), bits, 0);
}

// Asks for huge pages in a range of whole ones; does nothing where that is impossible. The kernel puts a huge page on
// the NUMA node of the small page that exists already, and picks that node by the small page's number: so the numbers
// must not all be multiples of 512.
void collapse(std::byte* pages, int64_t bytes) {
  const auto first = static_cast<int64_t>(reinterpret_cast<uintptr_t>(pages) / huge_page);
  for (int64_t i = 0; i < bytes / huge_page; ++i) {
    pages[i * huge_page + (first + i) % (huge_page / small_page) * small_page] = std::byte{0};
  }
  madvise(pages, static_cast<size_t>(bytes), MADV_COLLAPSE);
}

enum class HugePages { as_mapped, on_request };

// Populates the pages. Returns 0, or the error number of the first part that failed.
int make_present(std::byte* pages, int64_t bytes, HugePages huge) {
  constexpr int64_t part = 32 * huge_page;
  std::atomic<int> error{0};
  parallel_for((bytes + part - 1) / part, [&](int64_t i) {
    const auto size = static_cast<size_t>(std::min(part, bytes - i * part));
    std::byte* at = pages + i * part;
    if (error == 0 && huge == HugePages::on_request) collapse(at, static_cast<int64_t>(size));
    if (error != 0 || madvise(at, size, MADV_POPULATE_WRITE) == 0) return;
    if (errno != EINVAL) {
      error = errno;
      return;
    }
    // The kernel does not have this call yet.
    for (size_t offset = 0; offset < size; offset += small_page) at[offset] = std::byte{0};
  });
  return error;
}

// Whether transparent huge pages map most of the shared memory at `pages`.
bool is_mostly_huge(const void* pages, int64_t bytes) {
  std::ifstream maps("/proc/self/smaps");
  const std::string start = fmt::format("{:x}-", reinterpret_cast<uintptr_t>(pages));
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("-") != std::string::npos && line.find(" rw-s ") != std::string::npos) here = line.starts_with(start);
    if (!here || !line.starts_with("ShmemPmdMapped:")) continue;
    return std::stoll(line.substr(line.find(':') + 1)) * 1024 > bytes / 2;
  }
  return false;
}

struct OwnSegment {
  FileDescriptor file;
  NodeSegment segment;
  std::string page_size;
  int64_t error = 0;
};

OwnSegment make_reserved_huge(int64_t bytes) {
  OwnSegment own;
  own.page_size = "2 MiB, reserved";
  own.file = make_file(bytes, MFD_HUGETLB);
  if (!own.file) {
    own.error = errno;
    return own;
  }
  own.segment = {map_shared(own.file.get(), bytes, &own.error), bytes};
  if (own.error != 0) return own;
  interleave(own.segment.pages.get(), bytes);
  own.error = make_present(static_cast<std::byte*>(own.segment.pages.get()), bytes, HugePages::as_mapped);
  return own;
}

OwnSegment make_own(int64_t bytes) {
  OwnSegment own = make_reserved_huge(bytes);
  if (own.error == 0) return own;
  own = OwnSegment();
  own.file = make_file(bytes, 0);
  if (!own.file) {
    own.error = errno;
    return own;
  }
  own.segment = {map_shared(own.file.get(), bytes, &own.error), bytes};
  if (own.error != 0) return own;
  void* pages = own.segment.pages.get();
  interleave(pages, bytes);
  own.error = make_present(static_cast<std::byte*>(pages), bytes, HugePages::on_request);
  own.page_size = is_mostly_huge(pages, bytes) ? "2 MiB, transparent" : "4 KiB";
  return own;
}

int64_t worst_of(MPI_Comm node, int64_t error) {
  mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &error, 1, MPI_INT64_T, MPI_MAX, node));
  return error;
}

}  // namespace

std::shared_ptr<void> share_on_node(MPI_Comm node, int64_t bytes) {
  int rank = 0;
  mpiCheck(MPI_Comm_rank(node, &rank));
  FileDescriptor file;
  Owner owner;
  if (rank == 0) {
    file = make_file(bytes, 0);
    owner = {getpid(), file.get(), bytes, file ? 0 : errno};
  }
  mpiCheck(MPI_Bcast(&owner, 4, MPI_INT64_T, 0, node));
  if (rank != 0 && owner.error == 0) {
    file = open_of(owner);
    if (!file) owner.error = errno;
  }
  std::shared_ptr<void> mapping;
  if (owner.error == 0) mapping = map_shared(file.get(), bytes, &owner.error);
  // This exchange also keeps the first rank's descriptor open until all ranks have opened the file.
  if (const int64_t error = worst_of(node, owner.error); error != 0) {
    throw Error(ExitCode::communicator, fmt::format("the ranks of this node cannot share {} bytes of memory: {}", bytes,
                                                    error_text(static_cast<int>(error))));
  }
  return mapping;
}

NodeSegments share_segments(MPI_Comm node, int64_t own_bytes) {
  int rank = 0, ranks = 0;
  mpiCheck(MPI_Comm_rank(node, &rank));
  mpiCheck(MPI_Comm_size(node, &ranks));
  const int64_t bytes = (own_bytes + huge_page - 1) / huge_page * huge_page;
  OwnSegment own;
  if (bytes > 0) own = make_own(bytes);
  std::vector<Owner> owners(static_cast<size_t>(ranks));
  const Owner self{getpid(), own.file.get(), bytes, own.error};
  mpiCheck(MPI_Allgather(&self, 4, MPI_INT64_T, owners.data(), 4, MPI_INT64_T, node));

  NodeSegments all{std::vector<NodeSegment>(owners.size()), own.page_size};
  int64_t error = 0;
  for (const Owner& owner : owners) error = std::max(error, owner.error);
  for (size_t peer = 0; peer < owners.size() && error == 0; ++peer) {
    NodeSegment& segment = all.of_rank[peer];
    if (static_cast<int>(peer) == rank) {
      segment = own.segment;
    } else if (owners[peer].bytes > 0) {
      const FileDescriptor file = open_of(owners[peer]);
      if (!file) {
        error = errno;
        break;
      }
      segment = {map_shared(file.get(), owners[peer].bytes, &error), owners[peer].bytes};
    }
  }
  // This exchange also keeps every rank's descriptor open until all ranks have opened its file.
  error = worst_of(node, error);
  if (error == 0) return all;
  int64_t total = 0;
  for (const Owner& owner : owners) total += owner.bytes;
  throw Error(
      ExitCode::host_memory,
      fmt::format(
          "host memory: the {} ranks of this node cannot share {:.2f} GiB: {}; set host_store to private, or use a "
          "node with more memory",
          ranks, to_gib(total), error_text(static_cast<int>(error))));
}

}  // namespace wansweep
