// flock is the lock; lock.held stands in for it where the file system has none (Lustre without -o flock, some FUSE).
//
// lock.held survives the death of its holder, so it names the process in full: host, boot, pid and start. Only a
// process of this host and boot that has ended, or of an earlier boot of this host, is known to be dead. Of several
// that find such a file, one takes it over: it makes lock.held.<digest of the dead holder> exclusively, looks again
// whether lock.held still names that holder, and only then removes it. So nobody removes the lock of a living one.

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

// The same until this host starts anew.
std::string boot_id() {
  std::string id = read_text_if_there("/proc/sys/kernel/random/boot_id").value_or("");
  id.erase(id.find_last_not_of('\n') + 1);
  return id;
}

[[noreturn]] void refuse_busy(const std::string& directory, const std::string& holder) {
  throw Error(ExitCode::store_busy,
              fmt::format("{}: another wansweep is at work here: {}", directory, printable(holder)));
}

// What the lock file says of its holder; whoever has just taken it has not written yet.
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

// Of text that may be anybody's. Nothing is not known to be dead unless it says so in full.
bool names_a_dead_holder(const std::string& text, const std::string& file) {
  try {
    return is_dead(parse_json_object(text, file));
  } catch (const Error&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
}

// Removes the file of a dead holder; does nothing where another wansweep is doing so, or did.
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
  return fmt::format("{}; if that has ended, remove {}", printable(text.substr(0, text.find('\n'))), file);
}

void hold_without_flock(const std::string& directory, const std::string& file) {
  const std::string own = own_holder();
  for (int i = 0; i < attempts_to_take_over; ++i) {
    if (write_file_once(file, own)) return;
    const std::optional<std::string> holder = read_text_if_there(file, most_holder_bytes);
    if (!holder) continue;  // it ended in between
    if (!names_a_dead_holder(*holder, file)) refuse_busy(directory, shown(*holder, file));
    take_over(file, *holder);
  }
  refuse_busy(directory, shown(holder_of(file), file));
}

// Where the file system has flock, a lock.held is of a host whose mount has not.
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
