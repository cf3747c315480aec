// Exchange between ranks of one node through CUDA IPC: each rank copies from its peers' device memory, on one stream.
// Works with several ranks on one GPU.
//
// Rank a sends to rank b through a mailbox in memory that all ranks share, and two events that both know:
//   a: writes the addresses of its messages, records `ready` on its comm stream, increments `posted`
//   b: sees `posted`, makes its comm stream wait for `ready`, copies, records `done`, increments `taken`
//   a: sees `taken`, and makes its comm stream wait for `done`: later work may then overwrite the messages
// The counters order the hosts: a stream that is told to wait for an event waits for the event's latest record, so the
// record must come first. Hosts wait only for hosts, and a stream waits only for work that is already enqueued, so no
// order of execution can deadlock, even on a GPU that ranks share. A mailbox is free again once `taken` was seen.

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mpi_check.h"
#include "worker/comm/communicator.h"
#include "worker/comm/group.h"
#include "worker/comm/node_memory.h"
#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/cuda_device_impl.h"

namespace wansweep {

namespace {

constexpr int most_messages = 16;  // an exchange sends three to a peer
constexpr int64_t patience_ns = 600'000'000'000;

struct Message {
  cudaIpcMemHandle_t handle;
  uint64_t piece = 0;  // identifies the allocation behind the handle
  int64_t offset = 0;
  int64_t bytes = 0;
};

struct Mailbox {
  cudaIpcEventHandle_t ready{}, done{};
  alignas(64) std::atomic<uint64_t> posted{0};
  alignas(64) std::atomic<uint64_t> taken{0};
  int count = 0;
  std::array<Message, most_messages> messages{};
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

Error failed(const std::string& line) { return {ExitCode::communicator, "IPC: " + line}; }

// The mailboxes of all pairs of ranks.
class SharedMailboxes {
 public:
  SharedMailboxes(MPI_Comm node, int rank, int ranks)
      : ranks_(ranks), pages_(share_on_node(node, int64_t{sizeof(Mailbox)} * ranks * ranks)) {
    if (rank == 0) std::uninitialized_value_construct_n(static_cast<Mailbox*>(pages_.get()), ranks * ranks);
    mpiCheck(MPI_Barrier(node));
  }

  Mailbox& from_to(int from, int to) { return static_cast<Mailbox*>(pages_.get())[from * ranks_ + to]; }

 private:
  int ranks_;
  std::shared_ptr<void> pages_;
};

// An event that another process can wait for.
class SharedEvent {
 public:
  SharedEvent() = default;
  ~SharedEvent() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  SharedEvent(const SharedEvent&) = delete;
  SharedEvent& operator=(const SharedEvent&) = delete;
  void make(cudaIpcEventHandle_t* handle) {
    cudaCheck(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | cudaEventInterprocess));
    cudaCheck(cudaIpcGetEventHandle(handle, event_));
  }
  void open(const cudaIpcEventHandle_t& handle) { cudaCheck(cudaIpcOpenEventHandle(&event_, handle)); }
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

class IpcCommunicator : public Communicator {
 public:
  IpcCommunicator(CudaDevice& device, CommunicatorPlace place)
      : Communicator(device, place.stream), device_(device), id_(place.stream), stream_(device.stream(place.stream)) {
    const RankGroup group(place.among);
    rank_ = group.rank();
    const int ranks = group.size();
    if (place.among == Among::run) check_one_node(ranks);
    mailboxes_ = std::make_unique<SharedMailboxes>(group.ranks(), rank_, ranks);
    peers_ = std::vector<Peer>(static_cast<size_t>(ranks));
    for (int peer = 0; peer < ranks; ++peer) {
      if (peer == rank_) continue;
      at(peer).ready.make(&mailboxes_->from_to(rank_, peer).ready);
      at(peer).done.make(&mailboxes_->from_to(peer, rank_).done);
    }
    mpiCheck(MPI_Barrier(group.ranks()));
    for (int peer = 0; peer < ranks; ++peer) {
      if (peer == rank_) continue;
      at(peer).their_ready.open(mailboxes_->from_to(peer, rank_).ready);
      at(peer).their_done.open(mailboxes_->from_to(rank_, peer).done);
    }
    mpiCheck(MPI_Barrier(group.ranks()));
  }
  ~IpcCommunicator() override {
    cudaStreamSynchronize(stream_);
    for (const Peer& peer : peers_) {
      for (const auto& [piece, base] : peer.opened) cudaIpcCloseMemHandle(base);
    }
  }
  IpcCommunicator(const IpcCommunicator&) = delete;
  IpcCommunicator& operator=(const IpcCommunicator&) = delete;

  CommunicatorKind kind() const override { return CommunicatorKind::ipc; }

  void exchange(std::span<const Exchange> exchanges) override {
    std::map<int, std::vector<Exchange>> sends, receives;
    for (const Exchange& each : exchanges) {
      if (each.peer == rank_) {
        device_.copy_device(id_, each.receive, each.send, each.send_bytes);
        continue;
      }
      if (each.send_bytes > 0) sends[each.peer].push_back(each);
      if (each.receive_bytes > 0) receives[each.peer].push_back(each);
    }
    // Every rank posts all its messages before it waits for anything, so each wait ends.
    for (const auto& [peer, messages] : sends) post(peer, messages);
    for (const auto& [peer, messages] : receives) await(peer, messages);
    if (must_close_gate()) device_.close_gate(id_);
    for (const auto& [peer, messages] : receives) take(peer, messages);
    open_gate();
    for (const auto& [peer, messages] : sends) {
      const Mailbox& box = mailboxes_->from_to(rank_, peer);
      wait_for(box.taken, at(peer).posted, peer);
      cudaCheck(cudaStreamWaitEvent(stream_, at(peer).their_done.get(), 0));
    }
  }

 private:
  struct Peer {
    SharedEvent ready, done;              // of this rank: our messages are ready; we have read the peer's
    SharedEvent their_ready, their_done;  // of the peer: its messages are ready; it has read ours
    uint64_t posted = 0;                  // number of exchanges in which we sent, and in which we received
    uint64_t taken = 0;
    std::map<uint64_t, std::byte*> opened;  // the peer's allocations, mapped into this process
  };

  Peer& at(int peer) { return peers_[static_cast<size_t>(peer)]; }

  static void check_one_node(int ranks) {
    MPI_Comm node = MPI_COMM_NULL;
    mpiCheck(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    int here = 0;
    mpiCheck(MPI_Comm_size(node, &here));
    mpiCheck(MPI_Comm_free(&node));
    if (here != ranks) {
      throw bad_input(
          fmt::format("communicator is ipc, but {} of {} ranks are on this node; use nccl between nodes", here, ranks));
    }
  }

  void post(int peer, const std::vector<Exchange>& messages) {
    if (messages.size() > most_messages) {
      throw Error(ExitCode::internal, fmt::format("IPC: {} messages to one peer; at most {} are possible",
                                                  messages.size(), static_cast<int>(most_messages)));
    }
    Mailbox& box = mailboxes_->from_to(rank_, peer);
    box.count = static_cast<int>(messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      const DevicePiece piece = device_.piece_of(messages[i].send);
      auto [exported, added] = exported_.try_emplace(piece.id);
      if (added) cudaCheck(cudaIpcGetMemHandle(&exported->second, piece.base));
      box.messages[i] = {exported->second, piece.id, static_cast<const std::byte*>(messages[i].send) - piece.base,
                         messages[i].send_bytes};
    }
    cudaCheck(cudaEventRecord(at(peer).ready.get(), stream_));
    box.posted.store(++at(peer).posted, std::memory_order_release);
  }

  // Makes the stream wait until the peer's messages are ready.
  void await(int peer, const std::vector<Exchange>& expected) {
    const Mailbox& box = mailboxes_->from_to(peer, rank_);
    wait_for(box.posted, ++at(peer).taken, peer);
    if (box.count != static_cast<int>(expected.size())) {
      throw failed(
          fmt::format("rank {} sends {} messages, but rank {} expects {}", peer, box.count, rank_, expected.size()));
    }
    cudaCheck(cudaStreamWaitEvent(stream_, at(peer).their_ready.get(), 0));
  }

  void take(int peer, const std::vector<Exchange>& expected) {
    Mailbox& box = mailboxes_->from_to(peer, rank_);
    for (size_t i = 0; i < expected.size(); ++i) {
      const Message& message = box.messages[i];
      if (message.bytes != expected[i].receive_bytes) {
        throw failed(fmt::format("rank {} sends {} bytes, but rank {} expects {}", peer, message.bytes, rank_,
                                 expected[i].receive_bytes));
      }
      cudaCheck(cudaMemcpyAsync(expected[i].receive, open(peer, message) + message.offset,
                                static_cast<size_t>(message.bytes), cudaMemcpyDefault, stream_));
    }
    cudaCheck(cudaEventRecord(at(peer).done.get(), stream_));
    box.taken.store(at(peer).taken, std::memory_order_release);
  }

  std::byte* open(int peer, const Message& message) {
    std::byte*& base = at(peer).opened[message.piece];
    if (base != nullptr) return base;
    void* mapped = nullptr;
    const cudaError_t result = cudaIpcOpenMemHandle(&mapped, message.handle, cudaIpcMemLazyEnablePeerAccess);
    if (result != cudaSuccess) {
      throw failed(fmt::format("rank {} cannot map memory of rank {}: {}; GPUs without peer access need nccl", rank_,
                               peer, cudaGetErrorString(result)));
    }
    return base = static_cast<std::byte*>(mapped);
  }

  // A peer may be late for as long as its own streams are full of work.
  void wait_for(const std::atomic<uint64_t>& counter, uint64_t value, int peer) const {
    constexpr int eager_looks = 2000;
    const int64_t start = monotonic_ns();
    for (int looks = 0; counter.load(std::memory_order_acquire) < value; ++looks) {
      if (looks < eager_looks) {
        sched_yield();
        continue;
      }
      usleep(20);
      if (monotonic_ns() - start > patience_ns) {
        throw failed(
            fmt::format("rank {} has not answered rank {} for {} s", peer, rank_, patience_ns / 1'000'000'000));
      }
    }
  }

  CudaDevice& device_;
  StreamId id_;
  cudaStream_t stream_;
  int rank_ = 0;
  std::unique_ptr<SharedMailboxes> mailboxes_;
  std::vector<Peer> peers_;
  std::map<uint64_t, cudaIpcMemHandle_t> exported_;  // by allocation of this rank
};

}  // namespace

std::unique_ptr<Communicator> make_ipc_communicator(Device& device, CommunicatorPlace place) {
  return std::make_unique<IpcCommunicator>(static_cast<CudaDevice&>(device), place);
}

bool peers_can_read_each_other(Device& device) {
  const char* disabled = std::getenv("NCCL_P2P_DISABLE");
  int works = disabled == nullptr || std::string_view(disabled) == "0" ? 1 : 0;
  const RankGroup node(Among::node);
  const Buffer own = device.allocate(1, "memory for peers to map");
  cudaIpcMemHandle_t handle{};
  if (cudaIpcGetMemHandle(&handle, own.data()) != cudaSuccess) works = 0;
  std::vector<cudaIpcMemHandle_t> handles(static_cast<size_t>(node.size()));
  mpiCheck(MPI_Allgather(&handle, sizeof(handle), MPI_BYTE, handles.data(), sizeof(handle), MPI_BYTE, node.ranks()));
  mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &works, 1, MPI_INT, MPI_MIN, node.ranks()));
  for (int peer = 0; peer < node.size() && works == 1; ++peer) {
    if (peer == node.rank()) continue;
    void* mapped = nullptr;
    const cudaError_t result =
        cudaIpcOpenMemHandle(&mapped, handles[static_cast<size_t>(peer)], cudaIpcMemLazyEnablePeerAccess);
    if (result != cudaSuccess) works = 0;
    if (mapped != nullptr) cudaIpcCloseMemHandle(mapped);
  }
  cudaGetLastError();
  // No rank frees memory that a peer has mapped before all have unmapped it.
  mpiCheck(MPI_Allreduce(MPI_IN_PLACE, &works, 1, MPI_INT, MPI_MIN, node.ranks()));
  return works == 1;
}

}  // namespace wansweep
