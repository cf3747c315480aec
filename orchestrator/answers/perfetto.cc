// The file is written as text, event by event: a tree of JSON values would need many times the memory for hundreds of
// thousands of events. Only strings need quoting, which quoted() does.
// A trace does not tell which copy or exchange a stall waited for, so arrows go by time: of the copies and exchanges
// that overlap the stall, to the one that ended nearest to the stall's end. Bisection finds it among the sorted ends.

#include "orchestrator/answers/perfetto.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace wansweep {
namespace {

// Slices of one thread must nest. So copies in each direction, which overlap, and switches, which overlap waits, have
// threads of their own.
enum Thread { steps = 1, compute, h2d, d2h, exchange, switches, parts };

Thread thread_of(const EventRow& e) {
  if (e.kind == EventKind::h2d) return h2d;
  if (e.kind == EventKind::d2h) return d2h;
  if (e.kind == EventKind::switch_experts) return switches;
  if (e.kind == EventKind::weight_parts) return parts;
  return e.stream == StreamId::comm ? exchange : compute;
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Writer {
 public:
  explicit Writer(int64_t origin_ns) : origin_(origin_ns) {}

  // `fields` is the rest of the JSON object.
  void add(const char* phase, int pid, int tid, const std::string& fields) {
    text_ +=
        fmt::format("{}\n{{\"ph\":\"{}\",\"pid\":{},\"tid\":{}{}}}", text_.empty() ? "" : ",", phase, pid, tid, fields);
  }
  std::string time(int64_t ns) const { return fmt::format("{:.3f}", static_cast<double>(ns - origin_) / 1e3); }
  void slice(int pid, Thread thread, const std::string& name, int64_t start, int64_t end, const std::string& args) {
    add("X", pid, thread,
        fmt::format(",\"name\":{},\"ts\":{},\"dur\":{:.3f},\"args\":{{{}}}", quoted(name), time(start),
                    static_cast<double>(end - start) / 1e3, args));
  }
  void name(int pid, int tid, const char* what, const std::string& name) {
    add("M", pid, tid, fmt::format(",\"name\":\"{}\",\"args\":{{\"name\":{}}}", what, quoted(name)));
  }
  // Draws an arrow from a slice that covers `from_ns` to one that covers `to_ns`.
  void arrow(int pid, Thread from, int64_t from_ns, Thread to, int64_t to_ns) {
    ++arrows_;
    add("s", pid, from,
        fmt::format(",\"id\":{},\"name\":\"waits for\",\"cat\":\"wait\",\"ts\":{}", arrows_, time(from_ns)));
    add("f", pid, to,
        fmt::format(",\"id\":{},\"name\":\"waits for\",\"cat\":\"wait\",\"bp\":\"e\",\"ts\":{}", arrows_, time(to_ns)));
  }
  std::string finish(const std::string& title) const {
    return fmt::format("{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"attempt\":{}}},\"traceEvents\":[{}\n]}}\n",
                       quoted(title), text_);
  }

 private:
  int64_t origin_;
  int64_t arrows_ = 0;
  std::string text_;
};

// The copies and exchanges that a stall may have waited for, sorted by their ends.
std::vector<EventRow> sorted_by_end(const std::vector<EventRow>& events, StallCause cause) {
  std::vector<EventRow> found;
  std::copy_if(events.begin(), events.end(), std::back_inserter(found), [&](const EventRow& e) {
    const bool copy = e.kind == EventKind::h2d || e.kind == EventKind::d2h || e.kind == EventKind::weight_parts;
    const bool exchanged = e.kind == EventKind::all_to_all || e.kind == EventKind::ring;
    return (cause == StallCause::weights && copy) || (cause == StallCause::peers && exchanged);
  });
  std::sort(found.begin(), found.end(), [](const EventRow& a, const EventRow& b) { return a.end_ns < b.end_ns; });
  return found;
}

// The event that ran during the stall and whose end is nearest to the stall's.
const EventRow* waited_for(const EventRow& stall, const std::vector<EventRow>& candidates) {
  const auto after = std::partition_point(candidates.begin(), candidates.end(),
                                          [&](const EventRow& e) { return e.end_ns < stall.end_ns; });
  const EventRow* best = nullptr;
  const auto consider = [&](const EventRow& e) {
    if (e.end_ns <= stall.start_ns || e.start_ns >= stall.end_ns) return;
    if (best == nullptr || std::abs(e.end_ns - stall.end_ns) < std::abs(best->end_ns - stall.end_ns)) best = &e;
  };
  if (after != candidates.begin()) consider(*std::prev(after));
  if (after != candidates.end()) consider(*after);
  return best;
}

std::string name_of(const EventRow& e) {
  return e.kind == EventKind::stall ? fmt::format("wait for {}", name_of(e.cause)) : std::string(name_of(e.kind));
}

std::string args_of(const EventRow& e) {
  std::string args = fmt::format("\"step\":{},\"expert\":{}", e.step, e.expert);
  if (e.forward >= 0) args += fmt::format(",\"forward\":\"{}\"", e.forward == 0 ? "cond" : "uncond");
  if (e.block >= 0) args += fmt::format(",\"block\":{}", e.block);
  if (e.bytes > 0) args += fmt::format(",\"bytes\":{}", e.bytes);
  return args;
}

void write_rank(Writer& writer, const RankTimeline& one) {
  const int pid = one.rank + 1;  // 0 is the idle process
  writer.name(pid, 0, "process_name", fmt::format("rank {} {}", one.rank, one.host));
  writer.add("M", pid, 0, fmt::format(",\"name\":\"process_sort_index\",\"args\":{{\"sort_index\":{}}}", one.rank));
  const std::pair<Thread, const char*> threads[] = {{steps, "steps"},
                                                    {compute, "compute stream"},
                                                    {h2d, "copy stream, to the device"},
                                                    {d2h, "copy stream, from the device"},
                                                    {exchange, "exchange stream"},
                                                    {switches, "switch of experts"},
                                                    {parts, "peers stream, parts of weights"}};
  for (const auto& [thread, name] : threads) writer.name(pid, thread, "thread_name", name);

  for (const StepRow& s : one.rows.steps) {
    writer.slice(pid, steps, fmt::format("step {}", s.step), s.start_ns, s.end_ns,
                 fmt::format("\"expert\":\"{}\",\"timestep\":{},\"sigma\":{}",
                             s.expert == 1 ? "high noise" : "low noise", s.timestep, s.sigma));
  }
  const std::vector<EventRow> copies = sorted_by_end(one.rows.events, StallCause::weights);
  const std::vector<EventRow> exchanges = sorted_by_end(one.rows.events, StallCause::peers);
  for (const EventRow& e : one.rows.events) {
    writer.slice(pid, thread_of(e), name_of(e), e.start_ns, e.end_ns, args_of(e));
    if (e.kind != EventKind::stall || e.cause == StallCause::host) continue;
    if (const EventRow* cause = waited_for(e, e.cause == StallCause::weights ? copies : exchanges)) {
      writer.arrow(pid, compute, e.start_ns, thread_of(*cause), std::max(cause->start_ns, e.start_ns));
    }
  }
  for (const MemoryRow& m : one.rows.memory) {
    writer.add("C", pid, 0,
               fmt::format(",\"name\":\"device memory (MiB)\",\"ts\":{},\"args\":{{\"used\":{:.3f}}}",
                           writer.time(m.time_ns), static_cast<double>(m.device_used) / 1048576));
    if (m.host_used == not_recorded) continue;
    writer.add("C", pid, 0,
               fmt::format(",\"name\":\"host store (MiB)\",\"ts\":{},\"args\":{{\"used\":{:.3f}}}",
                           writer.time(m.time_ns), static_cast<double>(m.host_used) / 1048576));
  }
}

}  // namespace

std::string to_trace_events(const Timeline& timeline) {
  int64_t origin = std::numeric_limits<int64_t>::max();
  for (const RankTimeline& one : timeline.ranks) {
    for (const StepRow& s : one.rows.steps) origin = std::min(origin, s.start_ns);
    for (const EventRow& e : one.rows.events) origin = std::min(origin, e.start_ns);
  }
  Writer writer(origin);
  for (const RankTimeline& one : timeline.ranks) write_rank(writer, one);
  return writer.finish(timeline.attempt);
}

}  // namespace wansweep
