#include "worker/comm/heartbeats.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace wansweep {

Heartbeats::Heartbeats(std::shared_ptr<void> memory, int node_ranks, int own, int rank)
    : memory_(std::move(memory)), node_ranks_(node_ranks), own_(own) {
  Heartbeat& mine = this->own();
  mine.rank = rank;
  mine.process = getpid();
}

int64_t Heartbeats::bytes_for(int node_ranks) {
  return static_cast<int64_t>(sizeof(Heartbeat) * static_cast<size_t>(node_ranks));
}

std::span<Heartbeat> Heartbeats::of_node() const {
  return {static_cast<Heartbeat*>(memory_.get()), static_cast<size_t>(node_ranks_)};
}

bool Heartbeats::may_speak() const { return of_node().front().spoken.exchange(1) == 0; }

Heartbeats share_heartbeats(MpiWorld& world) {
  try {
    return {world.shared_memory(Heartbeats::bytes_for(world.node_ranks())), world.node_ranks(), world.node_rank(),
            world.rank()};
  } catch (const Error&) {  // on all ranks of the node
    return {std::shared_ptr<void>(std::calloc(1, static_cast<size_t>(Heartbeats::bytes_for(1))), std::free), 1, 0,
            world.rank()};
  }
}

}  // namespace wansweep
