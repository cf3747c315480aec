// A trace may come from a run that was killed, from a disk that was full, or from a stranger: the reader checks types,
// sizes, numbers and order before it allocates by them, and reports each fault in one line with the file's name. Space
// that was never written reads as zeros; a row's number tells such space from a written row.
// While a writer is at work, tables are read in the reverse of the order in which they are written: a table that is
// read later then holds at least the rows that the earlier ones refer to.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <type_traits>

#include "base/enum_names.h"
#include "base/error.h"
#include "base/files.h"
#include "fmt/format.h"
#include "schema/trace_file.h"
#include "schema/trace_layout.h"

namespace wansweep {

using namespace trace_layout;

namespace {

class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {
    trace_bytes(name_);
    const Handle access = access_list();
    // HDF5 retries a torn read 100 times and doubles its pause each time, from 1 ns: with a damaged file it never
    // returns. 24 retries take 17 ms.
    H5Pset_metadata_read_attempts(access, 24);
    // With this property (h5clear uses it) a file that was cut short gives the rows before the cut: HDF5 reads zeros
    // past the end, and the number of a written row is not zero. A library without it refuses the whole file.
    const hbool_t cut_files_too = 1;
    H5Pset(access, "skip_eof_check", &cut_files_too);
    file_ = Handle(H5Fopen(name_.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access), H5Fclose);
    if (file_ < 0) fail("is not a wansweep trace: not an HDF5 file, or cut short");
    read_format();
  }
  int format() const { return format_; }
  bool has(const char* dataset_name) const { return H5Lexists(file_, dataset_name, H5P_DEFAULT) > 0; }

  std::string read_text(const char* dataset_name) const {
    const Handle dataset = open(dataset_name);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const size_t size = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0 || H5Sget_simple_extent_npoints(space) != 1 ||
        size > file_size()) {
      fail(fmt::format("/{} is not a single string of fixed length", dataset_name));
    }
    std::string text(size, '\0');
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) {
      fail(fmt::format("/{} cannot be read", dataset_name));
    }
    if (text.size() == 1 && text[0] == '\0') return "";
    if (text.find('\0') != std::string::npos) fail(fmt::format("/{} is cut short", dataset_name));
    return text;
  }

  // All rows before the first that was never written.
  template <typename Row>
  std::vector<Row> read_table(const char* table_name) const {
    const Handle dataset = open(table_name);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    if (H5Tequal(type, row_type<Row>()) <= 0 || H5Sget_simple_extent_ndims(space) != 1) {
      fail(fmt::format("/{} does not have the columns of format {}", table_name, format_));
    }
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 0 || static_cast<uint64_t>(count) > file_size() / sizeof(Row)) {
      fail(fmt::format("/{} claims to have {} rows, more than fit into the file", table_name, count));
    }
    std::vector<Row> rows(static_cast<size_t>(count));
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()) < 0) {
      // The digest is written last, and so lost first when the file is cut: the run then counts as not finished.
      if constexpr (std::is_same_v<Row, StoredDigest>) return {};
      fail(fmt::format("/{} cannot be read; the file may be cut short", table_name));
    }
    if constexpr (requires(Row r) { r.row; }) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<uint64_t>(rows[i].row) == i + 1) continue;
        if (rows[i].row != 0) fail(fmt::format("/{} row {} has the row number {}", table_name, i + 1, rows[i].row));
        rows.resize(i);
      }
    }
    return rows;
  }

  [[noreturn]] void fail(const std::string& what) const { throw bad_input(fmt::format("{}: {}", name_, what)); }

 private:
  void read_format() {
    if (H5Aexists(file_, "format") <= 0) fail("is not a wansweep trace: no format attribute");
    const Handle attribute(H5Aopen(file_, "format", H5P_DEFAULT), H5Aclose);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    if (H5Sget_simple_extent_npoints(space) != 1 || H5Aread(attribute, H5T_NATIVE_INT, &format_) < 0) {
      fail("is not a wansweep trace: its format attribute is not a number");
    }
    if (format_ < oldest_trace_format || format_ > trace_format) {
      fail(fmt::format("has format {}; this wansweep reads {} to {}", format_, oldest_trace_format, trace_format));
    }
  }

  Handle open(const char* dataset_name) const {
    Handle dataset(H5Dopen2(file_, dataset_name, H5P_DEFAULT), H5Dclose);
    if (dataset < 0) fail(fmt::format("is not a wansweep trace: no /{}", dataset_name));
    return dataset;
  }

  // Read again each time, since a writer may be at work.
  uint64_t file_size() const {
    struct stat status {};
    return ::stat(name_.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }

  std::string name_;
  Handle file_;
  int format_ = 0;
};

template <typename E>
bool is_known(uint8_t stored) {
  return !name_of(static_cast<E>(stored)).empty();
}

template <typename E>
size_t last_of() {
  return names_of<E>().size() - 1;
}

// One line on the first row that is impossible; empty when there is none.
std::optional<std::string> contradiction(const std::vector<StoredStep>& steps, size_t events, size_t memory) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const StoredStep& s = steps[i];
    if (s.step < 1 || (i > 0 && s.step <= steps[i - 1].step)) {
      return fmt::format("/steps row {} is of step {}; steps must ascend from 1", i + 1, s.step);
    }
    if (s.end_ns < s.start_ns) return fmt::format("/steps row {} ends before it starts", i + 1);
    if (s.expert < 0 || s.expert > 2) {
      return fmt::format("/steps row {} has expert {}; 1, 2 or 0 (unknown) is needed", i + 1, s.expert);
    }
    if (s.events > events || s.memory > memory) {
      return fmt::format("is cut short: step {} had {} events and {} memory rows, {} and {} are there", s.step,
                         s.events, s.memory, events, memory);
    }
  }
  return std::nullopt;
}

std::optional<std::string> contradiction(const std::vector<StoredEvent>& events) {
  for (size_t i = 0; i < events.size(); ++i) {
    const StoredEvent& e = events[i];
    if (!is_known<EventKind>(e.kind) || !is_known<StallCause>(e.cause) || !is_known<StreamId>(e.stream)) {
      return fmt::format("/events row {} has kind {}, cause {}, stream {}; the highest that exist are {}, {}, {}",
                         i + 1, e.kind, e.cause, e.stream, last_of<EventKind>(), last_of<StallCause>(),
                         last_of<StreamId>());
    }
    if (e.end_ns < e.start_ns) return fmt::format("/events row {} ends before it starts", i + 1);
    if (e.step < 0 || e.forward < -1 || e.block < -1 || e.expert > 2 || e.bytes < 0) {
      return fmt::format("/events row {} has step {}, forward {}, block {}, expert {}, {} bytes", i + 1, e.step,
                         e.forward, e.block, e.expert, e.bytes);
    }
  }
  return std::nullopt;
}

std::vector<StepRow> step_rows(const std::vector<StoredStep>& stored) {
  std::vector<StepRow> rows;
  rows.reserve(stored.size());
  for (const StoredStep& s : stored) rows.push_back({s.step, s.expert, s.timestep, s.sigma, s.start_ns, s.end_ns});
  return rows;
}

}  // namespace

int64_t trace_bytes(const std::string& file) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) throw bad_input(fmt::format("{}: {}", file, error_text(errno)));
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file));
  if (status.st_size > most_trace_bytes) {
    throw bad_input(fmt::format("{}: has {} bytes; a trace has at most {}", file, status.st_size, most_trace_bytes));
  }
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> begin{};
  if (::pread(fd.get(), begin.data(), begin.size(), 0) != static_cast<ssize_t>(begin.size()) || begin != signature) {
    throw bad_input(fmt::format("{}: is not a wansweep trace: not an HDF5 file, or cut short", file));
  }
  return status.st_size;
}

TraceFile read_trace(const std::string& file) {
  const Library library;
  const Reader reader(file);
  TraceFile trace;
  trace.format = reader.format();
  trace.spec_json = reader.read_text("spec");
  trace.environment_json = reader.read_text("environment");
  if (reader.has("schedule")) trace.schedule_json = reader.read_text("schedule");
  // The table that is written last is read first: while a writer is at work, the other tables then hold at least the
  // rows that it refers to.
  const auto digest = reader.read_table<StoredDigest>("digest");
  const auto steps = reader.read_table<StoredStep>("steps");
  const auto memory = reader.read_table<StoredMemory>("memory");
  const auto clock = reader.read_table<StoredClock>("clock");
  const auto events = reader.read_table<StoredEvent>("events");
  if (reader.has("nonfinite")) {
    for (const StoredNonfinite& n : reader.read_table<StoredNonfinite>("nonfinite")) {
      if (n.values < 0) reader.fail(fmt::format("/nonfinite counts {} values", n.values));
      trace.rows.nonfinite.push_back({n.step, n.values});
    }
  }
  if (reader.has("power")) {
    for (const StoredPower& p : reader.read_table<StoredPower>("power")) {
      trace.rows.power.push_back({p.step, p.time_ns, p.energy_mj, p.power_mw, p.sm_clock_mhz, p.temperature_c});
    }
  }
  if (const auto line = contradiction(steps, events.size(), memory.size())) reader.fail(*line);
  if (const auto line = contradiction(events)) reader.fail(*line);

  if (!digest.empty() && digest[0].sha256[0] != '\0') {  // zeros: never written
    trace.digest.assign(digest[0].sha256, sizeof digest[0].sha256);
    if (trace.digest.find_first_not_of("0123456789abcdef") != std::string::npos)
      reader.fail("/digest is not a SHA-256 in hex");
  }
  trace.rows.steps = step_rows(steps);
  trace.rows.events.reserve(events.size());
  for (const StoredEvent& e : events) {
    trace.rows.events.push_back({e.step, e.forward, e.block, static_cast<EventKind>(e.kind),
                                 static_cast<StallCause>(e.cause), static_cast<StreamId>(e.stream), e.expert,
                                 e.start_ns, e.end_ns, e.bytes});
  }
  for (const StoredMemory& m : memory) {
    trace.rows.memory.push_back({m.step, m.time_ns, m.device_used, m.device_peak, m.host_used, m.host_peak});
  }
  for (const StoredClock& c : clock) {
    if (c.at_end != 0 && c.at_end != 1) reader.fail(fmt::format("/clock has at_end {}; 0 or 1 is needed", c.at_end));
    trace.rows.clock.push_back({c.at_end, c.time_ns, c.offset_ns, c.round_trip_ns});
  }
  return trace;
}

std::vector<StepRow> read_trace_steps(const std::string& file) {
  const Library library;
  return step_rows(Reader(file).read_table<StoredStep>("steps"));
}

}  // namespace wansweep
