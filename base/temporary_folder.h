// A folder of this process's own under TMPDIR (or /tmp), which nobody else may enter; removed with all in it at the
// end.
#pragma once

#include <string>

namespace wansweep {

class TemporaryFolder {
 public:
  // Throws Error(output) naming the folder.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // The path of a file in it; it is not made.
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace wansweep
