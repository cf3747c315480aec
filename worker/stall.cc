// Decides first what is wrong with each rank (Trouble), then which rank is to blame, and then words the line.

#include "worker/stall.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wansweep {

namespace {

// In descending order of certainty.
enum class Trouble { stopped, lifeless, behind, none };

bool is_stopped(const RankSight& rank) { return rank.state == 'T' || rank.state == 't'; }

bool has_ended(const RankSight& rank) { return !rank.state || rank.state == 'Z' || rank.state == 'X'; }

Trouble trouble_of(const RankSight& rank, const NodeSight& node, int most_steps) {
  const bool in_steps = node.part == Part::steps;
  if (is_stopped(rank) && (in_steps || rank.silent_s >= node.limit_s)) return Trouble::stopped;
  // The rank may have fallen silent only during a step that the others have finished.
  if (rank.silent_s >= (in_steps ? node.limit_s / 2 : node.limit_s)) return Trouble::lifeless;
  return in_steps && rank.steps < most_steps ? Trouble::behind : Trouble::none;
}

std::string what_of(const RankSight& rank, Trouble trouble) {
  const char* kernel = rank.state == 'D' ? ", and waits in the kernel for a disk or a device" : "";
  switch (trouble) {
    case Trouble::stopped:
      return fmt::format("has been stopped by a signal for {:.0f} s", rank.silent_s);
    case Trouble::lifeless:
      if (has_ended(rank)) return "has ended";
      return fmt::format("has shown no life for {:.0f} s{}", rank.silent_s, kernel);
    case Trouble::behind:
      return fmt::format("has not come to the end of the step{}", kernel);
    case Trouble::none:
      return "waits";
  }
  return "";
}

// "rank 2", "ranks 0 and 3", "ranks 0, 1 and 3"
std::string ranks_text(const std::vector<int>& ranks) {
  if (ranks.size() == 1) return fmt::format("rank {}", ranks.front());
  const auto last = ranks.end() - 1;
  return fmt::format("ranks {} and {}", fmt::join(ranks.begin(), last, ", "), *last);
}

std::string where_text(const NodeSight& node, int steps) {
  switch (node.part) {
    case Part::before_steps:
      return "before the first step";
    case Part::steps:
      return fmt::format("in step {}", steps + 1);
    case Part::after_steps:
      return "after the last step";
  }
  return "";
}

std::string line_of(const NodeSight& node, const std::vector<const RankSight*>& blamed, Trouble trouble) {
  std::vector<std::string> words;
  std::vector<int> waiting;
  for (const RankSight& rank : node.ranks) {
    if (std::ranges::find(blamed, &rank) == blamed.end()) {
      waiting.push_back(rank.rank);
    } else {
      words.push_back(
          fmt::format("rank {} (process {} on {}) {}", rank.rank, rank.process, node.host, what_of(rank, trouble)));
    }
  }
  const std::string since = node.part == Part::steps ? fmt::format("no step for {:.0f} s: ", node.waited_s) : "";
  const std::string others =
      waiting.empty() ? "" : fmt::format("; {} wait{} for it", ranks_text(waiting), waiting.size() == 1 ? "s" : "");
  return fmt::format("{}{}, {}{}", since, fmt::join(words, ", "), where_text(node, blamed.front()->steps), others);
}

// The line for a stall whose cause no rank of this node shows.
std::string line_of_unknown(const NodeSight& node) {
  std::vector<int> ranks;
  for (const RankSight& rank : node.ranks) ranks.push_back(rank.rank);
  const std::string elsewhere =
      node.ranks_elsewhere == 0
          ? "a device or an exchange between them hangs"
          : fmt::format("the other {} ranks are on other nodes: one of them, a device or the network hangs",
                        node.ranks_elsewhere);
  return fmt::format(
      "no step for {:.0f} s: {} on {} {} alive in step {}, and {}, or a step takes longer than "
      "step_timeout allows",
      node.waited_s, ranks_text(ranks), node.host, ranks.size() == 1 ? "is" : "are", node.ranks.front().steps + 1,
      elsewhere);
}

}  // namespace

std::optional<Stall> find_stall(const NodeSight& node) {
  if (node.part == Part::steps && node.waited_s < node.limit_s) return std::nullopt;
  const int most_steps = std::ranges::max(node.ranks, {}, &RankSight::steps).steps;
  for (const Trouble trouble : {Trouble::stopped, Trouble::lifeless, Trouble::behind}) {
    std::vector<const RankSight*> blamed;
    for (const RankSight& rank : node.ranks) {
      if (trouble_of(rank, node, most_steps) == trouble) blamed.push_back(&rank);
    }
    if (!blamed.empty()) return Stall{blamed.front()->rank, line_of(node, blamed, trouble)};
  }
  if (node.part != Part::steps) return std::nullopt;
  const double while_for_other_nodes_s = node.ranks_elsewhere > 0 ? 5 + node.limit_s / 10 : 0;
  if (node.waited_s < node.limit_s + while_for_other_nodes_s) return std::nullopt;
  return Stall{std::nullopt, line_of_unknown(node)};
}

}  // namespace wansweep
