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
  std::vector<int> indices;  // "7_4" has one, "7_[4-52:2,60%8]" many, a plain job none

  bool operator==(const ArrayIds&) const = default;
};

// nullopt when `text` is not a job id, or was cut short ("7_[1-3,...]").
std::optional<ArrayIds> parse_array_ids(std::string_view text);

// The value of --array for members 0 to count - 1, of which at most `limit` run at a time (0: all): "0-7%2".
std::string array_range(int count, int limit);

}  // namespace wansweep
