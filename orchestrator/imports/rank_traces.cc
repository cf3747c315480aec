// The order of work: each file is assigned to its rank; each rank gets its steps, on the clock of its own files; then
// the ranks are compared and moved to one clock; last, rows are made.

#include "orchestrator/imports/rank_traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "orchestrator/imports/expected_steps.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

constexpr double most_slower = 1.25;         // the largest ratio of two ranks' step times in one run
constexpr double most_profiled = 4;          // the largest ratio of a profiled step's time to its time in a dump
constexpr int64_t least_apart = 50'000'000;  // ns: clocks of one host differ by less

// The files of one rank.
struct RankFiles {
  const EngineTrace* record = nullptr;
  const EngineTrace* trace = nullptr;  // a profiler's trace
  const EngineTrace* dump = nullptr;
  const EngineTrace* log = nullptr;
  std::vector<const EngineTrace*> all;
};

const EngineTrace*& place_for(RankFiles& files, EngineFileKind kind) {
  switch (kind) {
    case EngineFileKind::perf_dump:
      return files.dump;
    case EngineFileKind::step_record:
      return files.record;
    case EngineFileKind::kineto_trace:
    case EngineFileKind::nsight_export:
      return files.trace;
    case EngineFileKind::engine_log:
      break;
  }
  return files.log;
}

void check_ranks(const EngineTrace& file, int rank, int64_t ranks) {
  if (file.ranks && *file.ranks != ranks) {
    throw bad_input(
        fmt::format("{}: belongs to a run of {} ranks, but this run has {} ranks", file.file, *file.ranks, ranks));
  }
  if (rank < ranks) return;
  throw bad_input(fmt::format("{}: belongs to rank {}, but the run has ranks 0 to {}", file.file, rank, ranks - 1));
}

std::map<int, RankFiles> by_rank(const std::vector<EngineTrace>& files, int64_t ranks) {
  std::map<std::string, const EngineTrace*> by_digest;
  std::map<int, RankFiles> found;
  for (const EngineTrace& file : files) {
    if (const auto [same, is_new] = by_digest.emplace(file.sha256, &file); !is_new) {
      throw bad_input(
          fmt::format("{}: has the same content as {}; give only one of them", file.file, same->second->file));
    }
    if (!file.rank && ranks > 1 && file.kind != EngineFileKind::engine_log) {
      throw bad_input(
          fmt::format("{}: does not tell its rank; rename it to ...rank-N..., or import a run of one "
                      "rank",
                      file.file));
    }
    const int rank = file.rank.value_or(0);
    check_ranks(file, rank, ranks);
    RankFiles& mine = found[rank];
    const EngineTrace*& place = place_for(mine, file.kind);
    if (place != nullptr) {
      throw bad_input(fmt::format("{}: is a {} of rank {}, and so is {}; one of them belongs to another run", file.file,
                                  name_of(file.kind), rank, place->file));
    }
    place = &file;
    mine.all.push_back(&file);
  }
  int next = 0;
  for (const auto& [rank, mine] : found) {
    if (rank != next++)
      throw bad_input(fmt::format("{}: belongs to rank {}, but there is no file of rank {}", mine.all.front()->file,
                                  rank, next - 1));
  }
  return found;
}

// A rank before its rows are made: its steps, and the shift of a profiler's trace to the steps' clock.
struct RankSteps {
  std::vector<StepMark> steps;
  std::string file;         // the file that marks the steps
  bool has_times = false;   // false: steps begin at 0
  int64_t trace_later = 0;  // ns to add to the times of the trace
};

// Each step lasts until the next one in the list begins.
void join_up(std::vector<StepMark>& steps) {
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    if (steps[i + 1].step == steps[i].step + 1) steps[i].end_ns = std::max(steps[i].start_ns, steps[i + 1].start_ns);
  }
}

int64_t duration(const StepMark& mark) { return mark.end_ns - mark.start_ns; }

const StepMark* find_step(const std::vector<StepMark>& steps, int number) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const StepMark& s) { return s.step == number; });
  return found == steps.end() ? nullptr : &*found;
}

struct CommonSteps {
  int64_t here = 0, there = 0;      // ns, summed over the common steps
  const StepMark* first = nullptr;  // the first common step, in `here`
  const StepMark* first_there = nullptr;
  int64_t shortest = 0;  // ns
};

CommonSteps compare_steps(const std::vector<StepMark>& here, const std::vector<StepMark>& there) {
  CommonSteps common;
  for (const StepMark& mark : here) {
    const StepMark* other = find_step(there, mark.step);
    if (other == nullptr) continue;
    common.here += duration(mark);
    common.there += duration(*other);
    const int64_t shorter = std::min(duration(mark), duration(*other));
    common.shortest = common.first == nullptr ? shorter : std::min(common.shortest, shorter);
    if (common.first != nullptr) continue;
    common.first = &mark;
    common.first_there = other;
  }
  return common;
}

bool differ(const CommonSteps& common, double most) {
  const auto here = static_cast<double>(common.here), there = static_cast<double>(common.there);
  return here > there * most || there > here * most;
}

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

// Adds the steps that only the dump has, before and after those of the trace, each with the dump's duration.
void add_unprofiled(std::vector<StepMark>& steps, const EngineTrace& dump) {
  std::vector<StepMark> all;
  for (const StepMark& told : dump.steps) {
    const StepMark* profiled = find_step(steps, told.step);
    all.push_back(profiled != nullptr ? *profiled : told);
  }
  const int first = steps.front().step, last = steps.back().step;
  for (size_t i = all.size(); i-- > 0;) {
    if (all[i].step >= first || i + 1 >= all.size()) continue;
    const int64_t length = duration(all[i]);
    all[i].end_ns = all[i + 1].start_ns;
    all[i].start_ns = all[i].end_ns - length;
  }
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].step <= last) continue;
    const int64_t length = duration(all[i]);
    all[i].start_ns = all[i - 1].end_ns;
    all[i].end_ns = all[i].start_ns + length;
  }
  steps = std::move(all);
}

class Assembly {
 public:
  Assembly(const std::vector<EngineTrace>& files, const RunSettings& settings)
      : settings_(settings), expected_(settings), files_(by_rank(files, settings.ranks)) {}

  AssembledRun run() {
    for (const auto& [rank, files] : files_) {
      for (const EngineTrace* file : files.all) {
        run_.notes.insert(run_.notes.end(), file->notes.begin(), file->notes.end());
      }
      steps_.emplace(rank, steps_of(rank, files));
    }
    for (auto& [rank, steps] : steps_) check_count(steps);
    match_ranks();
    for (const auto& [rank, files] : files_) {
      make_rows(rank, files);
      if (run_.latents_digest.empty() && files.record != nullptr) run_.latents_digest = files.record->latents_digest;
    }
    return std::move(run_);
  }

 private:
  RankSteps steps_of(int rank, const RankFiles& files) {
    RankSteps found;
    if (files.record != nullptr) {
      found = {files.record->steps, files.record->file, true, 0};
      if (files.trace != nullptr) found.trace_later = match_trace(*files.trace, found);
    } else if (files.trace != nullptr && !files.trace->steps.empty()) {
      found = {files.trace->steps, files.trace->file, true, 0};
      if (files.trace->counts_profiler_steps) drop_what_followed_the_loop(found);
      join_up(found.steps);
      if (files.dump != nullptr && !files.dump->steps.empty()) use_dump(*files.dump, found);
    } else if (files.dump != nullptr && files.trace == nullptr) {
      found = {files.dump->steps, files.dump->file, false, 0};
    }
    if (found.steps.empty()) {
      throw bad_input(fmt::format(
          "{}: no file of rank {} marks the steps; the trace needs ranges denoising_step_N or ProfilerStep#N, "
          "or the perf dump needs denoise_steps_ms (SGLang 0.5.7 and later)",
          files.all.front()->file, rank));
    }
    return found;
  }

  // The profiler's steps go on after the loop's last one: SGLang's profiler is stopped after the decoding.
  void drop_what_followed_the_loop(RankSteps& found) {
    if (!settings_.steps) {
      run_.notes.push_back(
          fmt::format("{}: marks steps only as ProfilerStep#N; the last of them, {}, may be what came after the loop: "
                      "--set steps=N tells how many steps there are",
                      found.file, found.steps.back().step - 1));
    } else if (found.steps.size() > 1 && found.steps.back().step == *settings_.steps + 1) {
      found.steps.pop_back();
    }
  }

  void use_dump(const EngineTrace& dump, RankSteps& found) {
    const CommonSteps common = compare_steps(found.steps, dump.steps);
    if (common.first == nullptr || differ(common, most_profiled)) {
      throw bad_input(fmt::format(
          "{}: the steps of {} take {:.3f} s here, but {:.3f} s there: one of the files belongs to another run",
          dump.file, found.file, seconds(common.there), seconds(common.here)));
    }
    add_unprofiled(found.steps, dump);
  }

  // The shift of a trace to the clock of its rank's step record.
  int64_t match_trace(const EngineTrace& trace, const RankSteps& record) {
    if (trace.steps.empty()) {
      const bool outside = !trace.events.empty() && (trace.events.back().start_ns < record.steps.front().start_ns ||
                                                     trace.events.front().start_ns > record.steps.back().end_ns);
      if (!outside) return 0;
      throw bad_input(fmt::format(
          "{}: the times do not agree with {}: one of the files belongs to another run, or their clocks differ",
          trace.file, record.file));
    }
    const CommonSteps common = compare_steps(trace.steps, record.steps);
    if (common.first == nullptr || differ(common, most_slower)) {
      throw bad_input(fmt::format(
          "{}: the steps take {:.3f} s, but those of {} take {:.3f} s: one of the files belongs to another run",
          trace.file, seconds(common.here), record.file, seconds(common.there)));
    }
    const int64_t later = common.first_there->start_ns - common.first->start_ns;
    if (std::abs(later) <= std::max(least_apart, common.shortest / 2)) return 0;
    note_clocks(trace.file, record.file, later);
    return later;
  }

  void note_clocks(const std::string& file, const std::string& other, int64_t later) {
    run_.notes.push_back(
        fmt::format("{}: its clock differs from that of {} by {:.3f} s; its times were shifted so that their first "
                    "steps begin together",
                    file, other, std::abs(seconds(later))));
  }

  void check_count(const RankSteps& steps) {
    if (!settings_.steps) return;
    const int64_t last = steps.steps.back().step;
    if (last > *settings_.steps) {
      throw bad_input(fmt::format("{}: has a step {}, but the run has {} steps: the file belongs to another run",
                                  steps.file, last, *settings_.steps));
    }
    if (static_cast<int64_t>(steps.steps.size()) == *settings_.steps) return;
    run_.notes.push_back(
        fmt::format("{}: has {} of the run's {} steps ({} to {}); the total time is that of these steps only",
                    steps.file, steps.steps.size(), *settings_.steps, steps.steps.front().step, last));
  }

  void match_ranks() {
    const auto first =
        std::find_if(steps_.begin(), steps_.end(), [](const auto& each) { return each.second.has_times; });
    if (first == steps_.end()) return;
    RankSteps& reference = first->second;
    for (auto& [rank, steps] : steps_) {
      if (rank == first->first || !steps.has_times) continue;
      const CommonSteps common = compare_steps(steps.steps, reference.steps);
      if (common.first == nullptr || differ(common, most_slower)) {
        throw bad_input(fmt::format(
            "{}: the steps take {:.3f} s, but those of {} take {:.3f} s, and all ranks of a run step together: one of "
            "the files belongs to another run",
            steps.file, seconds(common.here), reference.file, seconds(common.there)));
      }
      const int64_t later = common.first_there->start_ns - common.first->start_ns;
      if (std::abs(later) <= std::max(least_apart, common.shortest / 2)) continue;
      note_clocks(steps.file, reference.file, later);
      for (StepMark& mark : steps.steps) mark.start_ns += later, mark.end_ns += later;
      steps.trace_later += later;
    }
  }

  void make_rows(int rank, const RankFiles& files) {
    const RankSteps& steps = steps_.at(rank);
    RankTrace& out = run_.ranks[rank];
    for (const StepMark& mark : steps.steps) {
      out.rows.steps.push_back(expected_.row_of(mark, steps.file));
      if (mark.device_peak) add_memory(out.rows, mark.step, mark.end_ns, mark.device_used, *mark.device_peak);
    }
    const bool dumped = files.dump != nullptr && files.dump->device_peak;
    if (out.rows.memory.empty() && dumped) {
      const StepRow& last = out.rows.steps.back();
      add_memory(out.rows, last.step, last.end_ns, files.dump->device_used, *files.dump->device_peak);
    }
    if (files.trace != nullptr) add_events(out.rows, *files.trace, steps.trace_later);
    out.environment = environment_of(files);
  }

  static void add_memory(TraceRows& rows, int step, int64_t time, std::optional<int64_t> used, int64_t peak) {
    MemoryRow row;
    row.step = step;
    row.time_ns = time;
    row.device_used = used.value_or(peak);
    row.device_peak = peak;
    row.host_used = row.host_peak = not_recorded;
    rows.memory.push_back(row);
  }

  void add_events(TraceRows& rows, const EngineTrace& trace, int64_t later) {
    const std::vector<StepRow>& steps = rows.steps;
    size_t after = 0;
    size_t at = 0;  // the last step that has begun
    rows.events.reserve(trace.events.size());
    for (EventRow event : trace.events) {
      event.start_ns += later;
      event.end_ns += later;
      if (event.start_ns >= steps.back().end_ns) {
        ++after;
        continue;
      }
      while (at + 1 < steps.size() && event.start_ns >= steps[at + 1].start_ns) ++at;
      if (event.start_ns >= steps.front().start_ns) {
        event.step = steps[at].step;
        event.expert = static_cast<uint8_t>(steps[at].expert);
      }
      rows.events.push_back(event);
    }
    if (after > 0) {
      run_.notes.push_back(
          fmt::format("{}: {} events of the device after the last step were left out", trace.file, after));
    }
    note_unknown(trace);
  }

  void note_unknown(const EngineTrace& trace) {
    if (trace.unknown_kernels.empty()) return;
    int64_t unknown = 0, all = 0;
    for (const auto& [name, ns] : trace.unknown_kernels) unknown += ns;
    for (const EventRow& e : trace.events) all += e.end_ns - e.start_ns;
    run_.notes.push_back(
        fmt::format("{}: {} kernels, {:.1f} % of the device's time, match no pattern and count as "
                    "compute: {}; --kernels FILE adds patterns",
                    trace.file, trace.unknown_kernels.size(),
                    all > 0 ? 100.0 * static_cast<double>(unknown) / static_cast<double>(all) : 0.0,
                    names_of_longest(trace.unknown_kernels)));
  }

  Json environment_of(const RankFiles& files) const {
    Json environment = Json::object();
    Json sources = Json::array();
    Json tells = Json::array({"steps"});
    for (const EngineTrace* file : files.all) {
      for (const auto& [name, value] : file->environment) environment[name] = value;
      if (!file->host.empty()) environment["host"] = file->host;
      sources.push_back({{"file", file->file.substr(file->file.rfind('/') + 1)},
                         {"kind", name_of(file->kind)},
                         {"sha256", file->sha256},
                         {"bytes", file->bytes}});
    }
    if (files.trace != nullptr && files.trace->tells_events) tells.push_back("events");
    environment["engine"] = {{"name", name_of(settings_.engine)}, {"tells", tells}, {"files", sources}};
    if (!settings_.engine_version.empty()) environment["engine"]["version"] = settings_.engine_version;
    return environment;
  }

  const RunSettings& settings_;
  ExpectedSteps expected_;
  std::map<int, RankFiles> files_;
  std::map<int, RankSteps> steps_;
  AssembledRun run_;
};

}  // namespace

AssembledRun assemble_run(const std::vector<EngineTrace>& files, const RunSettings& settings) {
  return Assembly(files, settings).run();
}

}  // namespace wansweep
