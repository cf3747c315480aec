#include "worker/probe/short_step.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"
#include "worker/loop/denoise.h"
#include "worker/loop/inputs.h"
#include "worker/offload/streamer.h"
#include "worker/results.h"
#include "worker/trace/environment.h"

namespace wansweep {

namespace {

namespace fs = std::filesystem;

constexpr int few_layers = 1;
constexpr int more_layers = 4;
constexpr int64_t least_steps = 60;  // steps planned at least; the loop ends earlier when its share of time is over

// The job's run with fewer blocks, one expert and no offload; otherwise it does the same work.
RunPlan shortened(const RunPlan& run, int layers) {
  RunSettings settings = run.settings;
  const RunSettings defaults;
  settings.offload = OffloadMode::resident;
  settings.prefetch = defaults.prefetch;
  settings.host_store = defaults.host_store;
  settings.chunk_bytes = defaults.chunk_bytes;
  settings.yield_to_collectives = settings.cooperative = Choice::off;
  settings.device_budget = {};
  settings.device_memory = 0;
  settings.keep_steps = false;
  settings.allow_nonfinite = true;
  settings.weights = "random:1";
  settings.steps = std::max(least_steps, settings.steps.value_or(0));
  ModelIdentity model = run.model;
  model.config.layers = layers;
  model.two_experts = false;
  return make_run_plan(std::move(settings), model, run.input);
}

std::string settings_text(const RunPlan& run) {
  nlohmann::json settings = to_json(run.settings);
  settings["plan"] = plan_to_json(run);
  return settings.dump();
}

}  // namespace

Measurements ShortSteps::measurements(Bench& bench) {
  Measurements measurements;
  const int most = std::min(bench.run.model.config.layers, more_layers);
  for (int layers = few_layers; layers <= most; layers += more_layers - few_layers) {
    measurements.push_back({ProbeWhat::short_step, layers == few_layers ? 8.0 : 12.0,
                            [this, &bench, layers](double seconds) { measure(bench, layers, seconds); }});
  }
  return measurements;
}

void ShortSteps::measure(Bench& bench, int layers, double seconds) {
  MpiWorld& world = bench.world;
  Device& device = bench.device;
  const std::string name = kept_ ? fmt::format("short-step-{:04}.h5", world.rank()) : trace_file_name(world.rank());
  const std::string file = (fs::path(directory_) / name).string();
  std::vector<ClockRow> clock{world.measure_clock(false)};
  std::optional<RunPlan> run;
  std::optional<TraceWriter> trace;
  std::optional<Recorder> recorder;
  std::optional<Streamer> streamer;
  world.all_or_none([&] {
    run = shortened(bench.run, layers);
    OffloadPlan plan{list_uses(loop_shape(*run, world.rank())), schedule_of(*run), run->weights};
    trace.emplace(file, settings_text(*run), describe_environment(device, world.rank(), world.ranks()),
                  to_json(plan.schedule).dump());
    recorder.emplace(device, &*trace, run->settings.trace_detail);
    upload_inputs(device, *run, make_inputs(*run), world.rank(), bench.workspace);
    streamer.emplace(device, *recorder, std::move(plan), std::nullopt);
    streamer->load(*random_weights(1, run->model.config, run->type));
  });
  const ModelContext context{
      device, bench.backend.communicator.get(), *recorder, bench.workspace, *run, world.rank(), bench.exchange_groups};
  Transformer transformer(context, *streamer);
  const FinishOnExit finish(device);
  std::vector<double> own;
  const double until = bench.timer.elapsed() + seconds;
  const int64_t since = monotonic_ns();
  const double allowed = until - bench.timer.elapsed();
  int64_t step_began = since;
  // At each step's end the ranks agree on whether to go on, as they do in a real run.
  denoise(context, transformer, [&](const StepEnd&) {
    const int64_t now = monotonic_ns();
    own.push_back(static_cast<double>(now - step_began) / 1e9);
    const bool over = own.size() > 3 && static_cast<double>(now - since) / 1e9 > allowed;
    const bool go_on = !world.any(over);
    step_began = now;
    return go_on;
  });
  clock.push_back(world.measure_clock(true));
  recorder->finish(clock);
  trace->close();
  if (!kept_) traces_ = collect_traces(world, directory_, *recorder);
  if (kept_) world.all_or_none([&] { fs::remove(file); });
  kept_ = true;

  RankSeconds measured;
  for (size_t step = 1; step < own.size(); ++step) {  // step 0 is a warm-up
    const Timer::Took took = bench.timer.over_ranks(own[step]);
    measured.slowest.push_back(took.slowest);
    measured.fastest.push_back(took.fastest);
  }
  ProbeSample sample{.what = ProbeWhat::short_step, .ranks = world.ranks()};
  sample.sizes = {layers, 0, 0};
  bench.add_of_shape(std::move(sample), std::move(measured));
}

}  // namespace wansweep
