// Rows are appended to extensible tables in SWMR mode, with a flush a step, and each row holds its own number: after a
// kill, on a full disk or in a cut file, a reader can tell written rows from space that was never written. A step's row
// is written after all other rows of the step, and the digest after all steps, so that each proves that the rows before
// it exist. HDF5 gives no reason for a failed write; the error line names the likely ones. Each call holds the
// library's lock, because HDF5 is not always built thread-safe.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "fmt/format.h"
#include "schema/trace_file.h"
#include "schema/trace_layout.h"

namespace wansweep {

using namespace trace_layout;

struct TraceWriter::Impl {
  struct Table {
    Handle type;
    Handle dataset;
    hsize_t rows = 0;
  };

  std::string name;
  Handle file;
  Table steps, events, memory, clock, nonfinite, power, digest;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        ExitCode::output,
        fmt::format("{}: cannot {}: the disk may be full or read-only, or its file system does not support SWMR files",
                    name, what));
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
    if (H5Dset_extent(table.dataset, &total) < 0) fail("extend a table");
    const Handle target(H5Dget_space(table.dataset), H5Sclose);
    const Handle source(H5Screate_simple(1, &count, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(target, H5S_SELECT_SET, &table.rows, nullptr, &count, nullptr) < 0 ||
        H5Dwrite(table.dataset, table.type, source, target, H5P_DEFAULT, rows.data()) < 0 ||
        H5Dflush(table.dataset) < 0) {
      fail("write a table");
    }
    table.rows = total;
  }
};

TraceWriter::TraceWriter(const std::string& file, const std::string& spec_json, const std::string& environment_json,
                         const std::string& schedule_json)
    : impl_(std::make_unique<Impl>()) {
  const Library library;
  impl_->name = file;
  if (::access(file.c_str(), F_OK) == 0) {
    throw Error(ExitCode::output, fmt::format("{}: exists already; a trace is never overwritten", file));
  }
  impl_->file = Handle(H5Fcreate(file.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access_list()), H5Fclose);
  if (impl_->file < 0) {
    throw Error(ExitCode::output, fmt::format("{}: cannot create the trace: {}", file, std::strerror(errno)));
  }
  impl_->write_format();
  impl_->write_text("spec", spec_json);
  impl_->write_text("environment", environment_json);
  if (!schedule_json.empty()) impl_->write_text("schedule", schedule_json);
  impl_->steps = impl_->create_table<StoredStep>("steps", 64);
  impl_->events = impl_->create_table<StoredEvent>("events", 2048);
  impl_->memory = impl_->create_table<StoredMemory>("memory", 256);
  impl_->clock = impl_->create_table<StoredClock>("clock", 4);
  impl_->nonfinite = impl_->create_table<StoredNonfinite>("nonfinite", 64);
  impl_->power = impl_->create_table<StoredPower>("power", 64);
  impl_->digest = impl_->create_table<StoredDigest>("digest", 1);
  if (H5Fstart_swmr_write(impl_->file) < 0) impl_->fail("switch to SWMR mode");
}

TraceWriter::~TraceWriter() {
  try {
    close();
  } catch (const std::exception&) {  // callers that need to know call close() themselves
  }
}

void TraceWriter::append(const TraceRows& rows) {
  const Library library;
  if (impl_->file < 0) throw Error(ExitCode::internal, fmt::format("{}: the trace is closed already", impl_->name));

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
  std::vector<StoredPower> power;
  for (const PowerRow& p : rows.power) {
    power.push_back({p.time_ns, p.energy_mj, p.step, p.power_mw, p.sm_clock_mhz, p.temperature_c,
                     static_cast<int64_t>(number(impl_->power, power.size()))});
  }
  impl_->append(impl_->nonfinite, nonfinite);
  impl_->append(impl_->power, power);
  impl_->append(impl_->events, events);
  impl_->append(impl_->memory, memory);
  impl_->append(impl_->clock, clock);

  // Last, so that a step's row proves that the step's other rows are written.
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
    throw Error(ExitCode::internal,
                fmt::format("{}: {} is not a SHA-256 in hex; 64 digits are needed", impl_->name, sha256_hex));
  }
  if (impl_->file < 0 || impl_->digest.rows != 0) {
    throw Error(ExitCode::internal, fmt::format("{}: the trace is closed, or has its digest already", impl_->name));
  }
  std::memcpy(row.sha256, sha256_hex.data(), sizeof row.sha256);
  impl_->append(impl_->digest, std::vector<StoredDigest>{row});
}

void TraceWriter::close() {
  const Library library;
  if (impl_->file < 0) return;
  herr_t status = 0;
  for (Impl::Table* table : {&impl_->steps, &impl_->events, &impl_->memory, &impl_->clock, &impl_->nonfinite,
                             &impl_->power, &impl_->digest}) {
    status = std::min(status, table->dataset.reset());
    table->type.reset();
  }
  status = std::min(status, impl_->file.reset());
  const int fd = ::open(impl_->name.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (status < 0 || !synced) impl_->fail("close the trace");
}

}  // namespace wansweep
