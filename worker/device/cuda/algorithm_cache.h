// Which algorithm each matrix product and each attention takes, kept in a file: the same one in every process, so that
// the same run gives the same bits, and no run but the first pays for trying.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace wansweep {

// Lines of "key<TAB>value", only ever appended. The first line of a key counts: ranks that tried at the same time
// agree afterwards.
class AlgorithmCache {
 public:
  // WANSWEEP_ALGORITHM_CACHE, else $XDG_CACHE_HOME/wansweep/cublas-algorithms, else the same under ~/.cache.
  AlgorithmCache();

  // Empty when the file can be neither made nor written: then nothing is to be tried, since processes would not agree.
  const std::string& file() const { return file_; }

  std::optional<std::string> find(const std::string& key);
  // What counts from now on: `value`, or what another process stored before.
  std::string store(const std::string& key, const std::string& value);

 private:
  void read();

  std::string file_;
  std::map<std::string, std::string> values_;
};

}  // namespace wansweep
