// Rows are appended to extensible tables in SWMR mode, a flush a step, and each carries its own number: a kill, a full
// disk or a cut file then leaves rows that a reader can tell from those that were never written. A reader checks
// everything that it did not write itself (types, sizes, numbers, order), and gives each fault as one line with the
// file's name.

#include "schema/trace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/error.h"
#include "base/files.h"
#include "fmt/format.h"
#include "schema/trace_layout.h"

namespace wansweep {
namespace {

using namespace trace_layout;

// By value; a file that holds a larger one is no trace of ours.
constexpr std::array<const char*, 8> kind_names{"compute", "attention", "all_to_all", "ring",
                                                "h2d",     "d2h",       "stall",      "switch"};
constexpr std::array<const char*, 4> cause_names{"none", "weights", "peers", "host"};
constexpr std::array<const char*, 3> stream_names{"compute", "copy", "comm"};

}  // namespace

const char* to_string(EventKind kind) { return kind_names.at(static_cast<size_t>(kind)); }
const char* to_string(StallCause cause) { return cause_names.at(static_cast<size_t>(cause)); }
const char* to_string(StreamId stream) { return stream_names.at(static_cast<size_t>(stream)); }

std::string hdf5_version() {
  const Library library;
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

std::string trace_file_name(int rank) { return fmt::format("rank-{:04}.h5", rank); }

struct TraceWriter::Impl {
  struct Table {
    Handle type;
    Handle dataset;
    hsize_t rows = 0;
  };

  std::string name;
  Handle file;
  Table steps, events, memory, clock, nonfinite, digest;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ExitCode::output,
                fmt::format("{}: cannot {}: full, read-only, or not a place for SWMR files", name, what));
  }

  void write_text(const char* dataset_name, const std::string& text) {
    const Handle type = text_type(std::max<size_t>(text.size(), 1));
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle dataset(H5Dcreate2(file, dataset_name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.c_str()) < 0) {
      fail(fmt::format("write {}", dataset_name));
    }
  }

  void write_format() {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(H5Acreate2(file, "format", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (attribute < 0 || H5Awrite(attribute, H5T_NATIVE_INT, &trace_format) < 0) fail("write the format");
  }

  template <typename Row>
  Table create_table(const char* table_name, hsize_t chunk_rows) {
    Table table{row_type<Row>(), {}, 0};
    const hsize_t none = 0;
    const hsize_t unlimited = H5S_UNLIMITED;
    const Handle space(H5Screate_simple(1, &none, &unlimited), H5Sclose);
    const Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(list, 1, &chunk_rows);
    table.dataset = Handle(H5Dcreate2(file, table_name, table.type, space, H5P_DEFAULT, list, H5P_DEFAULT), H5Dclose);
    if (table.dataset < 0) fail(fmt::format("create {}", table_name));
    return table;
  }

  template <typename Row>
  void append(Table& table, const std::vector<Row>& rows) {
    if (rows.empty()) return;
    const hsize_t count = rows.size();
    const hsize_t total = table.rows + count;
    if (H5Dset_extent(table.dataset, &total) < 0) fail("extend it");
    const Handle target(H5Dget_space(table.dataset), H5Sclose);
    const Handle source(H5Screate_simple(1, &count, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(target, H5S_SELECT_SET, &table.rows, nullptr, &count, nullptr) < 0 ||
        H5Dwrite(table.dataset, table.type, source, target, H5P_DEFAULT, rows.data()) < 0 ||
        H5Dflush(table.dataset) < 0) {
      fail("write it");
    }
    table.rows = total;
  }
};

TraceWriter::TraceWriter(const std::string& file, const std::string& spec_json, const std::string& environment_json)
    : impl_(std::make_unique<Impl>()) {
  const Library library;
  impl_->name = file;
  if (::access(file.c_str(), F_OK) == 0) {
    throw Error(ExitCode::output, fmt::format("{}: exists already; an attempt never overwrites a trace", file));
  }
  impl_->file = Handle(H5Fcreate(file.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access_list()), H5Fclose);
  if (impl_->file < 0) {
    throw Error(ExitCode::output, fmt::format("{}: cannot create the trace: {}", file, std::strerror(errno)));
  }
  impl_->write_format();
  impl_->write_text("spec", spec_json);
  impl_->write_text("environment", environment_json);
  impl_->steps = impl_->create_table<StoredStep>("steps", 64);
  impl_->events = impl_->create_table<StoredEvent>("events", 2048);
  impl_->memory = impl_->create_table<StoredMemory>("memory", 256);
  impl_->clock = impl_->create_table<StoredClock>("clock", 4);
  impl_->nonfinite = impl_->create_table<StoredNonfinite>("nonfinite", 64);
  impl_->digest = impl_->create_table<StoredDigest>("digest", 1);
  if (H5Fstart_swmr_write(impl_->file) < 0) impl_->fail("start writing for readers");
}

TraceWriter::~TraceWriter() {
  try {
    close();
  } catch (const std::exception&) {  // whoever needs to know calls close() himself
  }
}

void TraceWriter::append(const TraceRows& rows) {
  const Library library;
  if (impl_->file < 0) throw Error(ExitCode::internal, fmt::format("{}: is closed already", impl_->name));

  const auto number = [](const Impl::Table& table, size_t written) { return table.rows + written + 1; };
  std::vector<StoredEvent> events;
  events.reserve(rows.events.size());
  for (const EventRow& e : rows.events) {
    events.push_back({e.start_ns, e.end_ns, e.bytes, e.step, e.forward, e.block, static_cast<uint8_t>(e.kind),
                      static_cast<uint8_t>(e.cause), static_cast<uint8_t>(e.stream), e.expert,
                      static_cast<uint32_t>(number(impl_->events, events.size()))});
  }
  std::vector<StoredMemory> memory;
  for (const MemoryRow& m : rows.memory) {
    memory.push_back({m.time_ns, m.device_used, m.device_peak, m.host_used, m.host_peak, m.step,
                      static_cast<uint32_t>(number(impl_->memory, memory.size()))});
  }
  std::vector<StoredClock> clock;
  for (const ClockRow& c : rows.clock) {
    clock.push_back(
        {c.time_ns, c.offset_ns, c.round_trip_ns, c.at_end, static_cast<uint32_t>(number(impl_->clock, clock.size()))});
  }
  std::vector<StoredNonfinite> nonfinite;
  for (const NonfiniteRow& n : rows.nonfinite) {
    nonfinite.push_back({n.values, n.step, static_cast<uint32_t>(number(impl_->nonfinite, nonfinite.size()))});
  }
  impl_->append(impl_->nonfinite, nonfinite);
  impl_->append(impl_->events, events);
  impl_->append(impl_->memory, memory);
  impl_->append(impl_->clock, clock);

  // Last, so that a step's row says that all else of the step is there.
  std::vector<StoredStep> steps;
  for (const StepRow& s : rows.steps) {
    steps.push_back({s.start_ns, s.end_ns, s.step, s.expert, s.timestep, s.sigma,
                     static_cast<uint32_t>(impl_->events.rows), static_cast<uint32_t>(impl_->memory.rows),
                     static_cast<int64_t>(number(impl_->steps, steps.size()))});
  }
  impl_->append(impl_->steps, steps);
}

void TraceWriter::set_digest(const std::string& sha256_hex) {
  const Library library;
  StoredDigest row{};
  if (sha256_hex.size() != sizeof row.sha256) {
    throw Error(ExitCode::internal, fmt::format("{}: {} is no SHA-256; 64 digits are needed", impl_->name, sha256_hex));
  }
  if (impl_->file < 0 || impl_->digest.rows != 0) {
    throw Error(ExitCode::internal, fmt::format("{}: is closed, or has its digest already", impl_->name));
  }
  std::memcpy(row.sha256, sha256_hex.data(), sizeof row.sha256);
  impl_->append(impl_->digest, std::vector<StoredDigest>{row});
}

void TraceWriter::close() {
  const Library library;
  if (impl_->file < 0) return;
  herr_t status = 0;
  for (Impl::Table* table :
       {&impl_->steps, &impl_->events, &impl_->memory, &impl_->clock, &impl_->nonfinite, &impl_->digest}) {
    status = std::min(status, table->dataset.reset());
    table->type.reset();
  }
  status = std::min(status, impl_->file.reset());
  const int fd = ::open(impl_->name.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (status < 0 || !synced) impl_->fail("close it");
}

namespace {

class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {
    trace_bytes(name_);
    const Handle access = access_list();
    // HDF5 retries a torn read 100 times and doubles its pause each time from 1 ns: for a damaged file that is for
    // ever. 24 times take 17 ms.
    H5Pset_metadata_read_attempts(access, 24);
    // A file cut short gives the rows before the cut: past its end HDF5 reads zeros, and a row that was written has a
    // number that is not zero. The property is h5clear's; a library without it refuses the file as a whole.
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
      fail(fmt::format("/{} is not one text of fixed length", dataset_name));
    }
    std::string text(size, '\0');
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) {
      fail(fmt::format("/{} cannot be read", dataset_name));
    }
    if (text.size() == 1 && text[0] == '\0') return "";
    if (text.find('\0') != std::string::npos) fail(fmt::format("/{} is cut short", dataset_name));
    return text;
  }

  // All rows up to the first that was never written.
  template <typename Row>
  std::vector<Row> read_table(const char* table_name) const {
    const Handle dataset = open(table_name);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    if (H5Tequal(type, row_type<Row>()) <= 0 || H5Sget_simple_extent_ndims(space) != 1) {
      fail(fmt::format("/{} has other columns than format {}", table_name, format_));
    }
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 0 || static_cast<uint64_t>(count) > file_size() / sizeof(Row)) {
      fail(fmt::format("/{} claims {} rows, more than the file holds", table_name, count));
    }
    std::vector<Row> rows(static_cast<size_t>(count));
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()) < 0) {
      // Written last, and so the first that a cut takes: without it the run counts as not finished.
      if constexpr (std::is_same_v<Row, StoredDigest>) return {};
      fail(fmt::format("/{} cannot be read; the file may be cut short", table_name));
    }
    if constexpr (requires(Row r) { r.row; }) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<uint64_t>(rows[i].row) == i + 1) continue;
        if (rows[i].row != 0) fail(fmt::format("/{} row {} calls itself {}", table_name, i + 1, rows[i].row));
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

  // Asked anew: a writer may be at work.
  uint64_t file_size() const {
    struct stat status {};
    return ::stat(name_.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }

  std::string name_;
  Handle file_;
  int format_ = 0;
};

// One line on the first row that cannot be true.
std::optional<std::string> contradiction(const std::vector<StoredStep>& steps, size_t events, size_t memory) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const StoredStep& s = steps[i];
    if (s.step < 1 || (i > 0 && s.step <= steps[i - 1].step)) {
      return fmt::format("/steps row {} is of step {}; steps ascend from 1", i + 1, s.step);
    }
    if (s.end_ns < s.start_ns) return fmt::format("/steps row {} ends before it starts", i + 1);
    if (s.expert != 1 && s.expert != 2) return fmt::format("/steps row {} has expert {}, not 1 or 2", i + 1, s.expert);
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
    if (e.kind >= kind_names.size() || e.cause >= cause_names.size() || e.stream >= stream_names.size()) {
      return fmt::format("/events row {} has kind {}, cause {}, stream {}; at most {}, {}, {} exist", i + 1, e.kind,
                         e.cause, e.stream, kind_names.size() - 1, cause_names.size() - 1, stream_names.size() - 1);
    }
    if (e.end_ns < e.start_ns) return fmt::format("/events row {} ends before it starts", i + 1);
    if (e.step < 0 || e.forward < -1 || e.block < -1 || e.expert > 2 || e.bytes < 0) {
      return fmt::format("/events row {} has step {}, forward {}, block {}, expert {}, {} bytes", i + 1, e.step,
                         e.forward, e.block, e.expert, e.bytes);
    }
  }
  return std::nullopt;
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
  // What is written last is read first: while a writer is at work, the other tables can only hold more than they must.
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
  if (const auto line = contradiction(steps, events.size(), memory.size())) reader.fail(*line);
  if (const auto line = contradiction(events)) reader.fail(*line);

  if (!digest.empty() && digest[0].sha256[0] != '\0') {  // zeros: never written
    trace.digest.assign(digest[0].sha256, sizeof digest[0].sha256);
    if (trace.digest.find_first_not_of("0123456789abcdef") != std::string::npos) reader.fail("/digest is no SHA-256");
  }
  trace.rows.steps.reserve(steps.size());
  for (const StoredStep& s : steps) {
    trace.rows.steps.push_back({s.step, s.expert, s.timestep, s.sigma, s.start_ns, s.end_ns});
  }
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
    if (c.at_end != 0 && c.at_end != 1) reader.fail(fmt::format("/clock has at_end {}, not 0 or 1", c.at_end));
    trace.rows.clock.push_back({c.at_end, c.time_ns, c.offset_ns, c.round_trip_ns});
  }
  return trace;
}

}  // namespace wansweep
