// Finds the rank that a stalled run waits for, from what the ranks of one node can see of each other. Pure functions.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace wansweep {

// What the other ranks of the node can see of a rank.
struct RankSight {
  int rank = 0;
  pid_t process = 0;
  int steps = 0;                   // number of steps that it has ended
  double silent_s = 0;             // seconds since its last heartbeat
  std::optional<char> state = {};  // the kernel's state of the process (base/process.h); nullopt: no such process
};

enum class Part { before_steps, steps, after_steps };

struct NodeSight {
  std::string host;
  std::vector<RankSight> ranks;  // the ranks of this node, this one included
  int ranks_elsewhere = 0;       // number of the run's ranks on other nodes
  Part part = Part::steps;
  double waited_s = 0;  // seconds since the last step ended, or since `part` began
  double limit_s = 0;   // the longest time without a step or, outside the steps, without a rank's heartbeat
};

struct Stall {
  std::optional<int> rank;  // the rank that the others wait for; nullopt: no rank of this node shows a fault
  std::string line;         // the error line
};

// Judges whether the run has stalled; nullopt: go on waiting.
//   Within the steps, a run has stalled when no step ends for the limit. The rank to blame is, in this order, one that
//   is stopped by a signal, one without a heartbeat, or one that is a step behind. When there is none on this node, the
//   other nodes get some time to report theirs first.
//   Outside the steps, the duration of the work is unknown (disks may be slow): then only a rank that is stopped, or
//   has no heartbeat, for the limit is to blame.
std::optional<Stall> find_stall(const NodeSight& node);

}  // namespace wansweep
