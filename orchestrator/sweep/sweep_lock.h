// The lock that lets only one wansweep at a time change a sweep.
#pragma once

#include <string>

#include "base/files.h"

namespace wansweep {

// Holds DIRECTORY/lock during the object's life; the kernel releases it when the process dies. On file systems without
// flock, DIRECTORY/lock.held is created exclusively instead and removed at the end; one that a dead process of this
// host left is taken over, one of another host is not. Others may be able to write into the directory, so no link is
// followed, and the files are only used to find out that a process of this host is dead, which the kernel confirms.
class SweepLock {
 public:
  // Throws Error(store_busy) naming the holder's pid and host, and Error(output) when the lock cannot be made.
  explicit SweepLock(const std::string& directory);
  ~SweepLock();
  SweepLock(const SweepLock&) = delete;
  SweepLock& operator=(const SweepLock&) = delete;

 private:
  FileDescriptor file_;
  std::string held_file_;  // the path of lock.held if this object made it; else empty
};

}  // namespace wansweep
