// A folder under TMPDIR (or /tmp) that only this user may enter; the destructor removes it with all its files.
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

  // The path of a file in the folder; does not create the file.
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace wansweep
