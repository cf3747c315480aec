// The request becomes plans, one for each shape. The ranks then go through a list of measurements. Each gets a share of
// the time that is left, so that time which one does not use goes to those after it. All decisions are the same on all
// ranks. Rank 0 writes the record last, so that a probe that ends early leaves no record.

#include "worker/probe/probe.h"

#include <csignal>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "schema/completion.h"
#include "schema/probe/request.h"
#include "schema/version.h"
#include "worker/backend.h"
#include "worker/probe/bench.h"
#include "worker/probe/machine.h"
#include "worker/probe/short_step.h"

namespace wansweep {

namespace {

struct Shapes {
  double seconds = 0;
  std::vector<RunPlan> plans;
};

// Makes a plan for each requested shape. The settings of the device are those of the attempt, since a process opens
// only one device.
Shapes plan_shapes(const WorkerOptions& options, int ranks) {
  const ProbeRequest request = probe_request_from_json(nlohmann::json::parse(options.probe),
                                                       options.spec_file.empty() ? "--probe" : options.spec_file);
  Shapes shapes{request.seconds, {}};
  for (RunSettings settings : request.shapes) {
    if (settings.origins.contains("ranks") && settings.ranks != ranks) {
      throw bad_input(fmt::format("ranks is {}, but MPI started {}; start as many", settings.ranks, ranks));
    }
    settings.ranks = ranks;
    if (settings.backend != options.spec.backend) {
      throw bad_input(fmt::format("probe.shapes has backend {}, the probe runs on {}", name_of(settings.backend),
                                  name_of(options.spec.backend)));
    }
    shapes.plans.push_back(make_run_plan(std::move(settings)));
  }
  return shapes;
}

// Makes measurements one after the other, and divides the probe's time among them and the shapes.
class Turns {
 public:
  Turns(Timer& timer, ProbeRecord& record, size_t shapes)
      : timer_(timer), record_(record), shapes_left_(static_cast<double>(shapes)) {}

  void take(const Measurements& measurements) {
    double weight = 0;
    for (const Measurement& each : measurements) weight += each.weight;
    const double of_others = (shapes_left_ - 1) * weight;
    for (const Measurement& each : measurements) {
      const double left = timer_.left();
      if (left <= 0) {
        record_.not_measured.push_back({each.what, "the probe's time was over"});
        continue;
      }
      const double share = left * each.weight / (weight + of_others);
      weight -= each.weight;
      measure(each, share);
    }
    --shapes_left_;
  }

 private:
  // A measurement for which there is no memory is left out, on all ranks alike, and recorded as not measured. Any other
  // error ends the probe.
  void measure(const Measurement& measurement, double share) {
    try {
      measurement.measure(share);
    } catch (const CommonError& error) {
      if (error.code() != ExitCode::device_memory && error.code() != ExitCode::host_memory) throw;
      record_.not_measured.push_back({measurement.what, error.what()});
    }
  }

  Timer& timer_;
  ProbeRecord& record_;
  double shapes_left_;
};

void append(Measurements& to, Measurements more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// The measurements that predictions need most come first, because the time may be over before the last.
Measurements measurements_of(Bench& bench, ShortSteps& steps) {
  Measurements all = steps.measurements(bench);
  append(all, block_measurements(bench));
  append(all, exchange_measurements(bench));
  if (bench.first()) {
    append(all, copy_measurements(bench));
    append(all, host_memory_measurements(bench));
    append(all, exchange_ladder(bench));
  }
  append(all, operation_measurements(bench));
  return all;
}

void check_output(const std::string& directory) {
  make_directories(directory);
  for (const char* name : {probe_record_name, "completed.json"}) {
    if (std::filesystem::exists(std::filesystem::path(directory) / name)) {
      throw Error(ExitCode::output,
                  fmt::format("{}: holds {} of an earlier probe; give another directory", directory, name));
    }
  }
}

}  // namespace

ExitCode run_probe(MpiWorld& world, const WorkerOptions& options) {
  // Signals end a probe at once, since it has no step whose end would be worth waiting for.
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) std::signal(signal, SIG_DFL);
  ProbeRecord record;
  record.started_at = timestamp_now();
  record.wansweep_version = version;
  record.git_revision = git_revision;
  record.ranks = world.ranks();

  Shapes shapes;
  world.all_or_none([&] {
    shapes = plan_shapes(options, world.ranks());
    check_output(options.out);
  });
  record.seconds_allowed = shapes.seconds;
  refuse_used_device(world, options.spec);
  const Backend backend = open_backend(world, options.spec);
  record.machine = describe_machine(world, backend, options.spec);
  Timer timer(world, *backend.device, shapes.seconds);
  ShortSteps steps(options.out);
  Turns turns(timer, record, shapes.plans.size());
  for (RunPlan& plan : shapes.plans) {
    record.shapes.push_back(probe_shape_of(plan));
    const int shape = static_cast<int>(record.shapes.size()) - 1;
    try {
      world.all_or_none([&] { Bench::check_room(plan, *backend.device); });
      Bench bench(world, backend, timer, record, std::move(plan), shape);
      turns.take(measurements_of(bench, steps));
    } catch (const CommonError& error) {
      if (error.code() != ExitCode::device_memory && error.code() != ExitCode::host_memory) throw;
      record.not_measured.push_back({ProbeWhat::block_forward, fmt::format("shape {}: {}", shape, error.what())});
    }
  }
  record.finished_at = timestamp_now();
  const double seconds = timer.elapsed();
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    if (steps.traces().empty()) {
      throw bad_input(fmt::format("{:g} s are not enough to measure one step of the loop; allow more", shapes.seconds));
    }
    const std::filesystem::path out(options.out);
    write_file_atomically((out / probe_record_name).string(), probe_record_text(record));
    write_completion(options.out, {world.ranks(), static_cast<int>(steps.traces().front().steps), "", record.started_at,
                                   record.finished_at, steps.traces()});
    if (options.quiet) return;
    std::cout << fmt::format("{} measured in {:.1f} s, {} not measured\n", record.samples.size(), seconds,
                             record.not_measured.size())
              << std::flush;
  });
  return ExitCode::ok;
}

}  // namespace wansweep
