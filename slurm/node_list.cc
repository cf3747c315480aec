#include "slurm/node_list.h"

#include <optional>
#include <sstream>
#include <string_view>

#include "slurm/profile.h"
#include "slurm/whole_number.h"

namespace wansweep {
namespace {

std::optional<NodeAmount> amount_in(std::string_view text) {
  const bool or_more = text.ends_with('+');
  if (or_more) text.remove_suffix(1);
  const std::optional<int64_t> number = whole_number(text);
  return number ? std::optional(NodeAmount{*number, or_more}) : std::nullopt;
}

// Parses "gpu", "gpu:4", "gpu:h100:4" or "gpu:h100". Without a number Slurm means one device.
NodeDevice device_in(std::string_view text) {
  text = text.substr(0, text.find('('));
  NodeDevice device{std::string(text.substr(0, text.find(':'))), "", 1};
  if (device.name.size() == text.size()) return device;
  std::string_view rest = text.substr(device.name.size() + 1);
  const size_t last = rest.rfind(':');
  const std::string_view tail = last == rest.npos ? rest : rest.substr(last + 1);
  if (const std::optional<int64_t> number = whole_number(tail)) {
    device.count = *number;
    rest = last == rest.npos ? std::string_view() : rest.substr(0, last);
  }
  device.type = rest;
  return device;
}

// Splits at the commas outside brackets: "gpu:h100:4(S:0,2),nic:1".
std::vector<NodeDevice> devices_in(std::string_view text) {
  std::vector<NodeDevice> devices;
  if (text.empty() || text == "(null)" || text == "N/A") return devices;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (i > begin) devices.push_back(device_in(text.substr(begin, i - begin)));
      begin = i + 1;
      continue;
    }
    if (text[i] == '(' || text[i] == '[') ++depth;
    if (text[i] == ')' || text[i] == ']') --depth;
  }
  return devices;
}

}  // namespace

const char* const sinfo_format = "%P|%a|%l|%D|%c|%m|%G";

int64_t NodeGroup::count_of(const std::string& gres) const {
  const NodeDevice wanted = device_in(gres);
  int64_t count = 0;
  for (const NodeDevice& device : devices) {
    if (device.name == wanted.name && (wanted.type.empty() || device.type == wanted.type)) count += device.count;
  }
  return count;
}

NodeList read_sinfo(const std::string& text) {
  constexpr size_t columns = 7;
  NodeList list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("CLUSTER: ")) continue;
    std::vector<std::string> f;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, '|');) f.push_back(field);
    const std::optional<NodeAmount> cores = f.size() >= columns ? amount_in(f[4]) : std::nullopt;
    const std::optional<NodeAmount> memory = f.size() >= columns ? amount_in(f[5]) : std::nullopt;
    if (!cores || !memory) {
      list.unread.push_back(line);
      continue;
    }
    list.groups.push_back({f[0], parse_duration(f[2]), *cores, *memory, devices_in(f[6])});
  }
  return list;
}

}  // namespace wansweep
