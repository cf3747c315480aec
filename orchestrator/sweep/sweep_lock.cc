// The lock is flock. On file systems without flock (Lustre without -o flock, some FUSE), the file lock.held replaces
// it.
//
// lock.held survives the death of its holder, so it identifies the process by host, boot, pid and start. The holder is
// known to be dead only if it is of this host and boot and has ended, or of an earlier boot of this host. When several
// processes find such a file, one takes it over: it creates lock.held.<digest of the dead holder> exclusively, checks
// again that lock.held names that holder, and only then removes it. So the lock of a living process is never removed.

#include "orchestrator/sweep/sweep_lock.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/sha256.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

constexpr int64_t most_holder_bytes = 4096;
constexpr int attempts_to_take_over = 3;

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// An id that stays the same until this host reboots.
std::string boot_id() {
  std::string id = read_text_if_there("/proc/sys/kernel/random/boot_id").value_or("");
  id.erase(id.find_last_not_of('\n') + 1);
  return id;
}

[[noreturn]] void refuse_busy(const std::string& directory, const std::string& holder) {
  throw Error(ExitCode::store_busy,
              fmt::format("{}: another wansweep works in this directory: {}", directory, printable(holder)));
}

// The holder's identity from the lock file; a process that has just taken the lock has not written it yet.
std::string holder_of(const std::string& file) {
  try {
    std::string holder = read_text_if_there(file, most_holder_bytes).value_or("");
    holder.erase(holder.find_last_not_of('\n') + 1);
    return holder.empty() ? "it has just started" : holder;
  } catch (const Error& error) {
    return error.what();
  }
}

bool is_dead(const Json& holder) {
  if (holder.value("host", "") != host_name()) return false;
  if (holder.value("boot", "") != boot_id()) return true;
  const auto start = holder.value("start", uint64_t{0});
  return start != 0 && process_start(holder.value("pid", 0)) != start;
}

// Whether the holder in `text` is known to be dead. The text may come from anybody: only a complete identity counts.
bool names_a_dead_holder(const std::string& text, const std::string& file) {
  try {
    return is_dead(parse_json_object(text, file));
  } catch (const Error&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
}

// Removes the file of a dead holder, unless another wansweep is doing so or has done so.
void take_over(const std::string& file, const std::string& dead) {
  const std::string guard = fmt::format("{}.{}", file, sha256(dead).substr(0, 16));
  if (!write_file_once(guard, "")) return;
  if (read_text_if_there(file, most_holder_bytes) == dead) unlink(file.c_str());
  unlink(guard.c_str());
}

std::string own_holder() {
  const Json holder{{"host", host_name()}, {"boot", boot_id()}, {"pid", getpid()}, {"start", process_start(getpid())}};
  return holder.dump() + '\n';
}

std::string shown(const std::string& text, const std::string& file) {
  return fmt::format("{}; if that process has ended, remove {}", printable(text.substr(0, text.find('\n'))), file);
}

void hold_without_flock(const std::string& directory, const std::string& file) {
  const std::string own = own_holder();
  for (int i = 0; i < attempts_to_take_over; ++i) {
    if (write_file_once(file, own)) return;
    const std::optional<std::string> holder = read_text_if_there(file, most_holder_bytes);
    if (!holder) continue;  // the holder ended in between
    if (!names_a_dead_holder(*holder, file)) refuse_busy(directory, shown(*holder, file));
    take_over(file, *holder);
  }
  refuse_busy(directory, shown(holder_of(file), file));
}

// If this host's mount has flock, a lock.held comes from a host whose mount does not.
void refuse_held_elsewhere(const std::string& directory, const std::string& file) {
  const std::optional<std::string> holder = read_text_if_there(file, most_holder_bytes);
  if (holder && !names_a_dead_holder(*holder, file)) refuse_busy(directory, shown(*holder, file));
}

bool has_no_flock(int error) { return error == ENOSYS || error == ENOTSUP || error == EINVAL || error == ENOLCK; }

}  // namespace

SweepLock::SweepLock(const std::string& directory) {
  const std::string file = directory + "/lock";
  const std::string held_file = file + ".held";
  file_ = open_own_file(file, 0644);
  if (flock(file_.get(), LOCK_EX | LOCK_NB) == 0) {
    refuse_held_elsewhere(directory, held_file);
  } else if (errno == EWOULDBLOCK) {
    refuse_busy(directory, holder_of(file));
  } else if (has_no_flock(errno)) {
    hold_without_flock(directory, held_file);
    held_file_ = held_file;
  } else {
    throw Error(ExitCode::output, fmt::format("{}: cannot be locked: {}", file, error_text(errno)));
  }
  const std::string holder = fmt::format("pid {} on host {}\n", getpid(), host_name());
  if (ftruncate(file_.get(), 0) != 0 ||
      pwrite(file_.get(), holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    const int error = errno;
    if (!held_file_.empty()) unlink(held_file_.c_str());
    throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, error_text(error)));
  }
}

SweepLock::~SweepLock() {
  if (!held_file_.empty()) unlink(held_file_.c_str());
}

}  // namespace wansweep
