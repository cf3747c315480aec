// For tests, as LD_PRELOAD: one system call of the program fails, as on a disk that is full, with a quota that is
// exceeded or on a network file system whose handle went stale.
//
//   FAULT_CALL   which: open, read, write, fsync, rename, link, mkdir, stat
//   FAULT_ERRNO  with which error, as a number
//   FAULT_AT     the how-manieth of those calls on a matching path, from 1; it and all later ones with FAULT_STAYS set
//   FAULT_PATH   what the path has to contain; of descriptors, the path that they were opened by
//   FAULT_FIRED  a file that is made when the call fails: without it, the program makes fewer such calls
//
// Only calls through the dynamic linker are seen, and the number is counted over all threads of one process; a child
// counts anew.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int calls;

// Whether this call is the one that fails; errno is set then.
static int fails(const char* call, const char* path) {
  const char* wanted = getenv("FAULT_CALL");
  const char* part = getenv("FAULT_PATH");
  const char* at = getenv("FAULT_AT");
  const char* error = getenv("FAULT_ERRNO");
  if (!wanted || !at || !error || !path || strcmp(call, wanted) != 0) return 0;
  if (part && !strstr(path, part)) return 0;
  const int number = atomic_fetch_add(&calls, 1) + 1;
  if (getenv("FAULT_STAYS") ? number < atoi(at) : number != atoi(at)) return 0;
  const char* fired = getenv("FAULT_FIRED");
  if (fired) {
    const long fd = syscall(SYS_openat, AT_FDCWD, fired, O_WRONLY | O_CREAT, 0644);
    if (fd >= 0) syscall(SYS_close, fd);
  }
  errno = atoi(error);
  return 1;
}

static int fails_on(const char* call, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return fails(call, path);
}

#define REAL(type, name, ...)                                  \
  static type (*real)(__VA_ARGS__);                            \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static mode_t mode_of(int flags, va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                             \
  int name(const char* path, int flags, ...) {                 \
    va_list arguments;                                         \
    va_start(arguments, flags);                                \
    const mode_t mode = mode_of(flags, arguments);             \
    va_end(arguments);                                         \
    if (fails("open", path)) return -1;                        \
    REAL(int, #name, const char*, int, ...);                   \
    return real(path, flags, mode);                            \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                           \
  int name(int at, const char* path, int flags, ...) {         \
    va_list arguments;                                         \
    va_start(arguments, flags);                                \
    const mode_t mode = mode_of(flags, arguments);             \
    va_end(arguments);                                         \
    if (fails("open", path)) return -1;                        \
    REAL(int, #name, int, const char*, int, ...);              \
    return real(at, path, flags, mode);                        \
  }
OPENAT(openat)
OPENAT(openat64)

DIR* opendir(const char* path) {
  if (fails("open", path)) return NULL;
  REAL(DIR*, "opendir", const char*);
  return real(path);
}

ssize_t read(int fd, void* data, size_t size) {
  if (fails_on("read", fd)) return -1;
  REAL(ssize_t, "read", int, void*, size_t);
  return real(fd, data, size);
}

#define PREAD(name)                                            \
  ssize_t name(int fd, void* data, size_t size, off_t at) {    \
    if (fails_on("read", fd)) return -1;                       \
    REAL(ssize_t, #name, int, void*, size_t, off_t);           \
    return real(fd, data, size, at);                           \
  }
PREAD(pread)
PREAD(pread64)

ssize_t write(int fd, const void* data, size_t size) {
  if (fails_on("write", fd)) return -1;
  REAL(ssize_t, "write", int, const void*, size_t);
  return real(fd, data, size);
}

#define PWRITE(name)                                                 \
  ssize_t name(int fd, const void* data, size_t size, off_t at) {    \
    if (fails_on("write", fd)) return -1;                            \
    REAL(ssize_t, #name, int, const void*, size_t, off_t);           \
    return real(fd, data, size, at);                                 \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define OF_FD(name, call)                                      \
  int name(int fd) {                                           \
    if (fails_on(call, fd)) return -1;                         \
    REAL(int, #name, int);                                     \
    return real(fd);                                           \
  }
OF_FD(fsync, "fsync")
OF_FD(fdatasync, "fsync")
OF_FD(syncfs, "fsync")

int rename(const char* from, const char* to) {
  if (fails("rename", to)) return -1;
  REAL(int, "rename", const char*, const char*);
  return real(from, to);
}

int link(const char* from, const char* to) {
  if (fails("link", to)) return -1;
  REAL(int, "link", const char*, const char*);
  return real(from, to);
}

int mkdir(const char* path, mode_t mode) {
  if (fails("mkdir", path)) return -1;
  REAL(int, "mkdir", const char*, mode_t);
  return real(path, mode);
}

#define STAT(name, type)                                       \
  int name(const char* path, struct type* status) {            \
    if (fails("stat", path)) return -1;                        \
    REAL(int, #name, const char*, struct type*);               \
    return real(path, status);                                 \
  }
STAT(stat, stat)
STAT(lstat, stat)
STAT(stat64, stat64)
STAT(lstat64, stat64)

int fstat(int fd, struct stat* status) {
  if (fails_on("stat", fd)) return -1;
  REAL(int, "fstat", int, struct stat*);
  return real(fd, status);
}
