// A file that keeps the chosen algorithm of each matrix product and each attention, so that every process chooses the
// same one, the same run gives the same bits, and only the first run spends time on trying.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace wansweep {

// The file has lines of "key<TAB>value<TAB>length", the length being that of key and value together, and is only
// appended to. The first line of a key counts, so that ranks that tried at the same time agree afterwards. A line whose
// length does not fit is passed over: another process is still writing it, or was killed while it did.
class AlgorithmCache {
 public:
  // WANSWEEP_ALGORITHM_CACHE, else $XDG_CACHE_HOME/wansweep/cublas-algorithms, else the same under ~/.cache.
  AlgorithmCache();

  // The path of the file; empty when it can be neither created nor written. Then nothing may be tried, since processes
  // would not agree.
  const std::string& file() const { return file_; }

  std::optional<std::string> find(const std::string& key);
  // Stores `value` for the key, and returns the value that counts: `value`, or what another process stored before.
  std::string store(const std::string& key, const std::string& value);

 private:
  void read();

  std::string file_;
  std::map<std::string, std::string> values_;
};

}  // namespace wansweep
