// A partition's nodes, parsed from the output of sinfo.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wansweep {

// "48": every node of the group has that much. "48+": the smallest of several sizes; the largest is unknown.
struct NodeAmount {
  int64_t amount = 0;
  bool or_more = false;
};

// "gpu:h100:4(S:0-1)": four devices of name "gpu" and type "h100".
struct NodeDevice {
  std::string name;
  std::string type;  // empty when the site does not name types
  int64_t count = 0;
};

struct NodeGroup {
  std::string partition;
  int64_t time_limit = 0;  // seconds; 0: without a limit; -1: not known
  NodeAmount cores;
  NodeAmount memory;  // MiB
  std::vector<NodeDevice> devices;

  // The number of devices on each node that --gres=`gres`:N can use: "gpu" uses any type, "gpu:h100" only that type.
  int64_t count_of(const std::string& gres) const;
};

struct NodeList {
  std::vector<NodeGroup> groups;
  std::vector<std::string> unread;  // lines
};

// The value of sinfo's -o: PARTITION|AVAIL|TIMELIMIT|NODES|CPUS|MEMORY|GRES.
extern const char* const sinfo_format;

NodeList read_sinfo(const std::string& text);

}  // namespace wansweep
