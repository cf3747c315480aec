// Which rank holds a run up, judged from what the ranks of one node see of each other. Values only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace wansweep {

// What a rank shows to its node-mates.
struct RankSight {
  int rank = 0;
  pid_t process = 0;
  int steps = 0;                   // that it has ended
  double silent_s = 0;             // since its process last showed life
  std::optional<char> state = {};  // the kernel's word (base/process.h); nullopt: there is no such process
};

enum class Part { before_steps, steps, after_steps };

struct NodeSight {
  std::string host;
  std::vector<RankSight> ranks;  // of this node, this process's own too
  int ranks_elsewhere = 0;       // of the run, out of this node's sight
  Part part = Part::steps;
  double waited_s = 0;  // since the last step ended, or since `part` began
  double limit_s = 0;   // that may pass without a step; outside of the steps, without a sign of life of a rank
};

struct Stall {
  std::optional<int> rank;  // that the others wait for; nullopt: it is none of this node, as far as can be seen
  std::string line;         // for a person
};

// The rule. nullopt: go on waiting.
//   Within the steps, a run that ended none for the limit has stalled. Which rank it waits for shows in this order: one
//   that is stopped by a signal, one whose process shows no life, one that is a step behind. Where it is none of them,
//   another node may know better, and gets a while to say so first.
//   Outside of them nobody knows how long work takes (weights come from slow disks): only a rank that is stopped or
//   shows no life, for as long as the limit, is one that the others wait for in vain.
std::optional<Stall> find_stall(const NodeSight& node);

}  // namespace wansweep
