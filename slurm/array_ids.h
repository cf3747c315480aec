// Job array ids, as squeue and sacct write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wansweep {

struct ArrayIds {
  int64_t job = 0;           // the array's id; a plain job's own
  std::vector<int> indices;  // one of "7_4", many of "7_[4-52:2,60%8]"; none of a plain job

  bool operator==(const ArrayIds&) const = default;
};

// nullopt when `text` is none of these, or was cut short ("7_[1-3,...]").
std::optional<ArrayIds> parse_array_ids(std::string_view text);

// What --array takes for 0 to count - 1, `limit` at a time (0: all): "0-7%2".
std::string array_range(int count, int limit);

}  // namespace wansweep
