// An export has no indexes, and its tables and columns depend on the release, so each is looked up before it is
// queried. Times are shifted last, when all rows are read. Steps are projected to the device by the launch that each
// kernel correlates with: the host marks a step while it launches kernels, which may be long before the device runs
// them.

#include "orchestrator/imports/nsight_export.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "orchestrator/imports/step_marks.h"

namespace wansweep {
namespace {

// CUPTI's copyKind: ENUM_CUDA_MEMCPY_OPER of the export.
constexpr int host_to_device = 1, device_to_host = 2, peer_to_peer = 10;

class Export {
 public:
  Export(const std::string& file, KernelClasses& classes)
      : db_(file, SQLite::OPEN_READONLY), classes_(classes), has_strings_(db_.tableExists("StringIds")) {
    trace.file = file;
    trace.kind = EngineFileKind::nsight_export;
    trace.has_times = true;
  }

  EngineTrace read() {
    if (!has("KERNEL") && !has("MEMCPY") && !db_.tableExists("NVTX_EVENTS")) {
      throw bad_input(
          fmt::format("{}: is not an export of Nsight Systems: kernels and NVTX ranges are missing", trace.file));
    }
    refuse_several_processes();
    read_kernels();
    read_copies();
    read_memsets();
    read_steps();
    read_session();
    trace.tells_events = !trace.events.empty();
    std::stable_sort(trace.events.begin(), trace.events.end(),
                     [](const EventRow& a, const EventRow& b) { return a.start_ns < b.start_ns; });
    return std::move(trace);
  }

  EngineTrace trace;

 private:
  bool has(const std::string& kind) const { return db_.tableExists("CUPTI_ACTIVITY_KIND_" + kind); }

  bool has_column(const std::string& table, const std::string& column) const {
    SQLite::Statement query(db_, "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?");
    query.bind(1, table);
    query.bind(2, column);
    query.executeStep();
    return query.getColumn(0).getInt() > 0;
  }

  void refuse_several_processes() {
    if (!has("KERNEL") || !has_column("CUPTI_ACTIVITY_KIND_KERNEL", "globalPid")) return;
    SQLite::Statement query(db_, "SELECT count(DISTINCT globalPid) FROM CUPTI_ACTIVITY_KIND_KERNEL");
    query.executeStep();
    if (const int processes = query.getColumn(0).getInt(); processes > 1) {
      throw bad_input(
          fmt::format("{}: holds the kernels of {} processes; one export for each rank is needed: start each rank "
                      "under its own nsys profile",
                      trace.file, processes));
    }
  }

  void add(EventKind kind, StreamId stream, int64_t start, int64_t end, int64_t bytes) {
    if (end < start) {
      throw bad_input(
          fmt::format("{}: an event of the device ends at {} ns, before it starts at {}", trace.file, end, start));
    }
    EventRow row;
    row.kind = kind;
    row.stream = stream;
    row.start_ns = start;
    row.end_ns = end;
    row.bytes = std::max<int64_t>(0, bytes);
    trace.events.push_back(row);
  }

  void read_kernels() {
    if (!has("KERNEL")) return;
    const char* name = has_strings_ ? "s.value" : "NULL";
    const char* join = has_strings_ ? "LEFT JOIN StringIds s ON s.id = k.demangledName" : "";
    SQLite::Statement query(
        db_, fmt::format("SELECT k.start, k.\"end\", {} FROM CUPTI_ACTIVITY_KIND_KERNEL k {}", name, join));
    while (query.executeStep()) {
      const int64_t start = query.getColumn(0).getInt64(), end = query.getColumn(1).getInt64();
      const std::string kernel = query.getColumn(2).getString();
      const std::optional<KernelClass> known = classes_.find(kernel);
      if (!known) trace.unknown_kernels[kernel] += end - start;
      const EventKind kind = known ? event_kind(*known) : EventKind::compute;
      const bool exchange = kind == EventKind::all_to_all || kind == EventKind::ring;
      add(kind, exchange ? StreamId::comm : StreamId::compute, start, end, 0);
    }
  }

  void read_copies() {
    if (!has("MEMCPY")) return;
    SQLite::Statement query(db_, "SELECT start, \"end\", copyKind, bytes FROM CUPTI_ACTIVITY_KIND_MEMCPY");
    while (query.executeStep()) {
      const int64_t start = query.getColumn(0).getInt64(), end = query.getColumn(1).getInt64();
      const int64_t bytes = query.getColumn(3).getInt64();
      switch (query.getColumn(2).getInt()) {
        case host_to_device:
          add(EventKind::h2d, StreamId::copy, start, end, bytes);
          break;
        case device_to_host:
          add(EventKind::d2h, StreamId::copy, start, end, bytes);
          break;
        case peer_to_peer:
          add(EventKind::all_to_all, StreamId::comm, start, end, bytes);
          break;
        default:  // within the device
          add(EventKind::compute, StreamId::compute, start, end, 0);
      }
    }
  }

  void read_memsets() {
    if (!has("MEMSET")) return;
    SQLite::Statement query(db_, "SELECT start, \"end\" FROM CUPTI_ACTIVITY_KIND_MEMSET");
    while (query.executeStep()) {
      add(EventKind::compute, StreamId::compute, query.getColumn(0).getInt64(), query.getColumn(1).getInt64(), 0);
    }
  }

  void read_steps() {
    if (!db_.tableExists("NVTX_EVENTS")) return;
    const bool by_id = has_strings_ && has_column("NVTX_EVENTS", "textId");
    SQLite::Statement query(
        db_, fmt::format("SELECT n.start, n.\"end\", {} FROM NVTX_EVENTS n {} WHERE n.\"end\" IS NOT NULL",
                         by_id ? "coalesce(n.text, s.value)" : "n.text",
                         by_id ? "LEFT JOIN StringIds s ON s.id = n.textId" : ""));
    std::map<int, StepMark> marks;
    while (query.executeStep()) {
      const std::optional<StepName> name = parse_step_name(query.getColumn(2).getString());
      if (!name || name->kind != StepName::Kind::denoising) continue;
      StepMark& mark = marks[name->step];
      mark.step = name->step;
      mark.start_ns = query.getColumn(0).getInt64();
      mark.end_ns = query.getColumn(1).getInt64();
      mark.timestep = name->timestep;
    }
    const bool on_device = project_to_device(marks);
    trace.environment["steps_marked_by"] = on_device ? "device" : "host";
    for (const auto& [step, mark] : marks) trace.steps.push_back(mark);
  }

  // Returns false when a step has no kernel that was launched in it; the host's ranges are then kept.
  bool project_to_device(std::map<int, StepMark>& marks) {
    if (!has("KERNEL") || !has("RUNTIME") || marks.empty()) return false;
    std::map<int, StepMark> projected;
    SQLite::Statement query(db_,
                            "SELECT r.start, k.start, k.\"end\" FROM CUPTI_ACTIVITY_KIND_KERNEL k JOIN "
                            "CUPTI_ACTIVITY_KIND_RUNTIME r ON r.correlationId = k.correlationId");
    while (query.executeStep()) {
      const int64_t launched = query.getColumn(0).getInt64();
      const auto within = std::find_if(marks.begin(), marks.end(), [&](const auto& mark) {
        return launched >= mark.second.start_ns && launched < mark.second.end_ns;
      });
      if (within == marks.end()) continue;
      const int64_t start = query.getColumn(1).getInt64(), end = query.getColumn(2).getInt64();
      const auto [place, is_new] = projected.emplace(within->first, within->second);
      StepMark& mark = place->second;
      mark.start_ns = is_new ? start : std::min(mark.start_ns, start);
      mark.end_ns = is_new ? end : std::max(mark.end_ns, end);
    }
    if (projected.size() != marks.size()) return false;
    marks = std::move(projected);
    return true;
  }

  void read_session() {
    int64_t began = 0;
    if (db_.tableExists("TARGET_INFO_SESSION_START_TIME")) {
      SQLite::Statement query(db_, "SELECT utcEpochNs FROM TARGET_INFO_SESSION_START_TIME");
      if (query.executeStep()) began = query.getColumn(0).getInt64();
    }
    for (EventRow& e : trace.events) e.start_ns += began, e.end_ns += began;
    for (StepMark& mark : trace.steps) mark.start_ns += began, mark.end_ns += began;
    if (db_.tableExists("TARGET_INFO_SYSTEM_ENV")) {
      SQLite::Statement query(db_, "SELECT value FROM TARGET_INFO_SYSTEM_ENV WHERE name = 'Hostname'");
      if (query.executeStep()) trace.host = query.getColumn(0).getString();
    }
    if (db_.tableExists("TARGET_INFO_GPU") && has_column("TARGET_INFO_GPU", "name")) {
      SQLite::Statement query(db_, "SELECT name FROM TARGET_INFO_GPU");
      if (query.executeStep()) trace.environment["device.name"] = query.getColumn(0).getString();
    }
  }

  mutable SQLite::Database db_;
  KernelClasses& classes_;
  bool has_strings_;
};

}  // namespace

EngineTrace read_nsight_export(const std::string& file, KernelClasses& classes) try {
  return Export(file, classes).read();
} catch (const SQLite::Exception& error) {
  throw bad_input(fmt::format("{}: is not an export of Nsight Systems that can be read: {}", file, error.what()));
}

}  // namespace wansweep
