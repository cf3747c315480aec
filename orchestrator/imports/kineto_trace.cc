// Three layers. The JSON parser calls KinetoReader with one token at a time; KinetoReader tracks its place in the
// document and collects the members of one trace event. A complete event goes to Collector, which keeps device work as
// rows and steps as marks, and drops everything else (operators, stacks, flows: nearly all of the file). finish() then
// decides which marks count.

#include "orchestrator/imports/kineto_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <istream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "orchestrator/imports/gzip_stream.h"
#include "orchestrator/imports/step_marks.h"

namespace wansweep {
namespace {

constexpr double most_microseconds = 9e15;  // the largest time whose nanoseconds fit into 64 bits
constexpr size_t most_text = 1 << 16;       // the most characters of a name that are kept

// The members of an event that are used. Absent ones keep these values.
struct TraceEvent {
  std::string phase, category, name, collective, dtype;
  std::optional<double> start, duration;  // microseconds
  int64_t bytes = 0;
  int64_t message_values = 0;  // "In msg nelems"
  void clear() { *this = TraceEvent(); }
};

int64_t bytes_of(const std::string& dtype) {
  static const std::map<std::string, int64_t> sizes{{"Float", 4}, {"Half", 2}, {"BFloat16", 2},      {"Double", 8},
                                                    {"Int", 4},   {"Long", 8}, {"Float8_e4m3fn", 1}, {"Float8_e5m2", 1},
                                                    {"Byte", 1},  {"Char", 1}, {"Bool", 1},          {"Short", 2}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Marks of one step, on host and device.
struct Marks {
  struct Range {
    int64_t start = std::numeric_limits<int64_t>::max();
    int64_t end = std::numeric_limits<int64_t>::min();
    bool there() const { return end >= start; }
    void add(int64_t from, int64_t to) {
      start = std::min(start, from);
      end = std::max(end, to);
    }
  };
  Range host, device;
  std::optional<double> timestep;
};

class Collector {
 public:
  Collector(std::string file, KernelClasses& classes) : classes_(classes) {
    trace.file = std::move(file);
    trace.kind = EngineFileKind::kineto_trace;
    trace.has_times = true;
  }

  void add(const TraceEvent& e) {
    if (e.phase != "X") return;
    const bool on_device = e.category == "kernel" || e.category == "gpu_memcpy" || e.category == "gpu_memset";
    const bool host_mark = e.category == "user_annotation", device_mark = e.category == "gpu_user_annotation";
    if (!on_device && !host_mark && !device_mark) return;
    const auto [start, end] = times_of(e);
    if (on_device) return add_work(e, start, end);
    if (host_mark && e.name.starts_with("STAGE ")) stage_starts_.push_back(start);
    const std::optional<StepName> name = parse_step_name(e.name);
    if (!name) return;
    Marks& marks = (name->kind == StepName::Kind::denoising ? denoising_ : profiler_)[name->step];
    (device_mark ? marks.device : marks.host).add(start, end);
    if (name->timestep) marks.timestep = name->timestep;
  }

  EngineTrace finish(int64_t base_ns) {
    drop_what_followed_the_loop();
    const std::map<int, Marks>& marks = denoising_.empty() ? profiler_ : denoising_;
    trace.counts_profiler_steps = denoising_.empty() && !profiler_.empty();
    // One clock for all steps: the device's, if it has every one.
    const bool by_device =
        std::all_of(marks.begin(), marks.end(), [](const auto& m) { return m.second.device.there(); });
    for (const auto& [step, both] : marks) {
      const Marks::Range& range = by_device ? both.device : both.host;
      if (!range.there()) continue;
      StepMark& mark = trace.steps.emplace_back();
      mark.step = step;
      mark.start_ns = range.start + base_ns;
      mark.end_ns = range.end + base_ns;
      mark.timestep = both.timestep;
    }
    for (EventRow& e : trace.events) {
      e.start_ns += base_ns;
      e.end_ns += base_ns;
    }
    std::stable_sort(trace.events.begin(), trace.events.end(),
                     [](const EventRow& a, const EventRow& b) { return a.start_ns < b.start_ns; });
    trace.tells_events = !trace.events.empty();
    if (!trace.tells_events) {
      trace.notes.push_back(fmt::format("{}: has no work of a device, so it tells only the steps", trace.file));
    }
    trace.environment["steps_marked_by"] = by_device ? "device" : "host";
    return std::move(trace);
  }

  EngineTrace trace;

 private:
  std::pair<int64_t, int64_t> times_of(const TraceEvent& e) const {
    const auto usable = [](const std::optional<double>& time) {
      return time && std::isfinite(*time) && std::abs(*time) < most_microseconds;
    };
    if (!usable(e.start) || !usable(e.duration) || *e.duration < 0) {
      throw bad_input(fmt::format("{}: event {} has ts {} and dur {}; both must be numbers of microseconds", trace.file,
                                  e.name, e.start.value_or(NAN), e.duration.value_or(NAN)));
    }
    // The end is rounded too, not the duration, so that an event that begins where another ends still does.
    const auto nanoseconds = [](double microseconds) { return static_cast<int64_t>(std::llround(microseconds * 1e3)); };
    return {nanoseconds(*e.start), nanoseconds(*e.start + *e.duration)};
  }

  // SGLang's profiler runs on after the last step, so that the last ProfilerStep covers the decoding. From 0.5.20 on a
  // range "STAGE decoding_stage" begins in it.
  void drop_what_followed_the_loop() {
    if (profiler_.empty()) return;
    const auto last = std::prev(profiler_.end());
    const Marks::Range& range = last->second.host;
    const bool has_stage = std::any_of(stage_starts_.begin(), stage_starts_.end(), [&](int64_t start) {
      return range.there() && start > range.start && start < range.end;
    });
    if (has_stage) profiler_.erase(last);
  }

  void add_work(const TraceEvent& e, int64_t start, int64_t end) {
    EventRow row;
    row.start_ns = start;
    row.end_ns = end;
    row.kind = kind_of(e, end - start);
    switch (row.kind) {
      case EventKind::h2d:
      case EventKind::d2h:
        row.stream = StreamId::copy;
        row.bytes = e.bytes;
        break;
      case EventKind::all_to_all:
      case EventKind::ring:
        row.stream = StreamId::comm;
        row.bytes = e.bytes > 0 ? e.bytes : e.message_values * bytes_of(e.dtype);
        break;
      case EventKind::compute:
      case EventKind::attention:
      case EventKind::stall:
      case EventKind::switch_experts:
      case EventKind::weight_parts:
        break;
    }
    trace.events.push_back(row);
  }

  EventKind kind_of(const TraceEvent& e, int64_t duration) {
    if (e.category == "gpu_memcpy") {
      if (mentions(e.name, "HtoD")) return EventKind::h2d;
      if (mentions(e.name, "DtoH")) return EventKind::d2h;
      return mentions(e.name, "PtoP") ? EventKind::all_to_all : EventKind::compute;
    }
    if (e.category == "gpu_memset") return EventKind::compute;
    if (!e.collective.empty()) {
      const bool neighbour = e.collective == "send" || e.collective == "recv" || mentions(e.collective, "coalesced");
      return neighbour ? EventKind::ring : EventKind::all_to_all;
    }
    const std::optional<KernelClass> known = classes_.find(e.name);
    if (!known) trace.unknown_kernels[e.name] += duration;
    return known ? event_kind(*known) : EventKind::compute;
  }

  KernelClasses& classes_;
  std::map<int, Marks> denoising_, profiler_;
  std::vector<int64_t> stage_starts_;  // of SGLang's stages, on the host
};

// nlohmann's SAX interface. Levels: 1 the document, 2 its lists, 3 an event, 4 the event's args.
class KinetoReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit KinetoReader(Collector& collector) : collector_(collector) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override {
    if (level_ == 1 && top_ == "baseTimeNanoseconds") base_ns = value;
    return whole(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto largest = static_cast<number_unsigned_t>(std::numeric_limits<int64_t>::max());
    return number_integer(static_cast<int64_t>(std::min(value, largest)));
  }
  bool number_float(number_float_t value, const string_t&) override {
    if (in_event()) set_time(value);
    return true;
  }
  bool string(string_t& value) override {
    if (value.size() > most_text) value.resize(most_text);
    if (in_event()) {
      if (key_ == "ph") event_.phase = value;
      if (key_ == "cat") event_.category = value;
      if (key_ == "name") event_.name = value;
      if (key_ == "ts" || key_ == "dur") set_time(number_in(value));
    } else if (in_args()) {
      if (key_ == "Collective name") event_.collective = value;
      if (key_ == "dtype") event_.dtype = value;
    } else if (level_ == 1 && top_ == "host_name") {
      collector_.trace.host = value;
    } else if (level_ == 3 && top_ == "deviceProperties" && key_ == "name") {
      collector_.trace.environment["device.name"] = value;
    } else if (level_ == 2 && top_ == "distributedInfo" && key_ == "backend") {
      collector_.trace.environment["communicator"] = value;
    }
    return true;
  }
  bool binary(binary_t&) override { return true; }

  bool start_object(size_t) override {
    ++level_;
    if (level_ == 1) is_document = true;
    if (level_ == event_level()) event_.clear();
    return true;
  }
  bool key(string_t& value) override {
    key_ = value;
    if (level_ == 1 && !is_list) top_ = value;
    if (level_ == event_level()) event_key_ = value;
    return true;
  }
  bool end_object() override {
    if (level_ == event_level() && in_events()) collector_.add(event_);
    --level_;
    return true;
  }
  bool start_array(size_t) override {
    ++level_;
    if (level_ == 1) is_list = true;  // Chrome's other form: the events alone
    if (level_ == 2 && top_ == "traceEvents") has_events = true;
    return true;
  }
  bool end_array() override {
    --level_;
    return true;
  }
  bool parse_error(size_t at, const std::string&, const nlohmann::detail::exception& error) override {
    problem = json_problem(error);
    problem_at = at;
    return false;
  }

  bool is_document = false, is_list = false, has_events = false;
  int64_t base_ns = 0;
  std::string problem;
  size_t problem_at = 0;

 private:
  int event_level() const { return is_list ? 2 : 3; }
  bool in_events() const { return is_list || top_ == "traceEvents"; }
  bool in_event() const { return level_ == event_level() && in_events(); }
  bool in_args() const { return level_ == event_level() + 1 && in_events() && event_key_ == "args"; }

  bool whole(int64_t value) {
    if (in_event()) set_time(static_cast<double>(value));
    if (in_args()) {
      if (key_ == "bytes") event_.bytes = std::max<int64_t>(0, value);
      if (key_ == "In msg nelems") event_.message_values = std::clamp<int64_t>(value, 0, int64_t{1} << 48);
    }
    if (level_ == 2 && top_ == "distributedInfo") {
      constexpr int64_t most_ranks = 4096;
      if (value < 0 || value > most_ranks) return true;
      if (key_ == "rank") collector_.trace.rank = static_cast<int>(value);
      if (key_ == "world_size") collector_.trace.ranks = static_cast<int>(value);
    }
    return true;
  }
  void set_time(double value) {
    if (key_ == "ts") event_.start = value;
    if (key_ == "dur") event_.duration = value;
  }
  static double number_in(const std::string& text) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' ? NAN : number;
  }

  Collector& collector_;
  TraceEvent event_;
  int level_ = 0;
  std::string top_;        // the document's member that is being read
  std::string key_;        // the last key, of whatever level
  std::string event_key_;  // the last key of the event itself
};

}  // namespace

EngineTrace read_kineto_trace(const std::string& file, KernelClasses& classes) {
  GzipStream text(file);
  std::istream stream(&text);
  stream.exceptions(std::ios::badbit);  // what the stream's buffer throws is passed on
  Collector collector(file, classes);
  KinetoReader reader(collector);
  if (!nlohmann::json::sax_parse(stream, &reader)) {
    const bool at_end = stream.eof() || stream.peek() == std::istream::traits_type::eof();
    const bool wrong_token = reader.problem.find("unexpected '") != std::string::npos;
    if (at_end && !wrong_token)
      throw bad_input(fmt::format("{}: is cut short: the JSON ends early, at byte {}", file, reader.problem_at));
    throw bad_input(fmt::format("{}: is not JSON: {}", file, reader.problem));
  }
  if (!reader.is_list && !reader.has_events) {
    throw bad_input(fmt::format("{}: is not a profiler's trace: traceEvents is missing", file));
  }
  return collector.finish(reader.base_ns);
}

}  // namespace wansweep
