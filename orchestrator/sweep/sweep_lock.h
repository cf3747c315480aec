// One wansweep at a time changes a sweep.
#pragma once

#include <string>

#include "base/files.h"

namespace wansweep {

// Holds DIRECTORY/lock for as long as the object lives; the kernel lets go of it when the process dies, however it
// dies. Where the file system has no flock, DIRECTORY/lock.held is made exclusively instead, and removed at the end;
// one that a dead process of this host left is taken over, one of another host is not. The files are in a directory
// that others may write into: no link is followed, and of what they hold only that a process of this host is dead is
// used, which the kernel confirms.
class SweepLock {
 public:
  // Throws Error(store_busy) naming the holder's pid and host, and Error(output) when no lock can be made.
  explicit SweepLock(const std::string& directory);
  ~SweepLock();
  SweepLock(const SweepLock&) = delete;
  SweepLock& operator=(const SweepLock&) = delete;

 private:
  FileDescriptor file_;
  std::string held_file_;  // lock.held where that is what was made; else empty
};

}  // namespace wansweep
