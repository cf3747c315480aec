// One run from top to bottom. A failure of one rank before or after the loop is thrown on all ranks (all_or_none),
// which end in order; a failure inside the loop is thrown on one rank, and main ends the job.

#include "worker/session.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/sha256.h"
#include "base/standard_error.h"
#include "base/units.h"
#include "schema/run_plan.h"
#include "schema/setting_fields.h"
#include "worker/backend.h"
#include "worker/comm/launcher.h"
#include "worker/device/host_capacity.h"
#include "worker/failure_report.h"
#include "worker/loop/denoise.h"
#include "worker/loop/inputs.h"
#include "worker/offload/streamer.h"
#include "worker/results.h"
#include "worker/run_progress.h"
#include "worker/trace/environment.h"
#include "worker/transport.h"
#include "worker/warm_up.h"
#include "worker/watchdog.h"

namespace wansweep {

namespace {

volatile std::sig_atomic_t stop_signal = 0;
volatile std::sig_atomic_t ends_at_once = 0;  // whether a signal ends the process at once, since no step has begun yet
volatile std::sig_atomic_t says_so = 0;       // whether this rank prints the line about the signal

// Makes the plan of the settings. It must equal the orchestrator's plan, if there is one.
RunPlan plan_for(const WorkerOptions& options, int ranks) {
  RunSettings settings = options.spec;
  if (settings.engine != EngineKind::wansweep) {
    throw bad_input(fmt::format(
        "engine is {}; wansweep-worker only runs engine wansweep, and `wansweep run` starts the other engines",
        name_of(settings.engine)));
  }
  if (settings.origins.contains("ranks") && settings.ranks != ranks) {
    throw bad_input(fmt::format("ranks is {}, but MPI started {} processes; start as many processes as ranks",
                                settings.ranks, ranks));
  }
  settings.ranks = ranks;
  RunPlan run = make_run_plan(std::move(settings));
  if (options.planned.empty()) return run;
  const std::string difference = plan_difference(nlohmann::json::parse(options.planned), plan_to_json(run));
  if (difference.empty()) return run;
  throw bad_input(
      fmt::format("{}: {}: the model's files, the inputs or wansweep itself have changed since; plan the run again",
                  options.spec_file, difference));
}

std::string settings_with_plan(const RunPlan& run) {
  nlohmann::json settings = to_json(run.settings);
  settings["plan"] = plan_to_json(run);
  return settings.dump();
}

OffloadPlan plan_offload(const RunPlan& run, int rank) {
  OffloadPlan plan{list_uses(loop_shape(run, rank)), schedule_of(run), run.weights, run.settings.host_memory};
  check(plan.schedule, plan.uses);
  return plan;
}

void make_output_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw Error(ExitCode::output, fmt::format("{}: directory cannot be created: {}", directory, error.message()));
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    throw Error(ExitCode::output, fmt::format("{}: directory cannot be written: {}", directory, error_text(errno)));
  }
}

// Checks the memory before anything is allocated.
void check_fits(const RunPlan& run, const Device& device, int node_ranks) {
  const MemoryEstimate& memory = run.memory;
  const int64_t limit = device.memory_use().device_limit;
  if (memory.device_total() > limit) {
    throw Error(
        ExitCode::device_memory,
        fmt::format(
            "device memory: offload {} needs {:.2f} GiB for weights and {:.2f} GiB for activations, but the device "
            "has {:.2f} GiB; offload layerwise, or planned with a small device_budget, needs the least",
            name_of(run.settings.offload), to_gib(memory.device_weights), to_gib(memory.device_activations),
            to_gib(limit)));
  }
  const int64_t available = host_memory_of_rank(node_ranks);
  if (memory.host_shared > 0 && memory.host_of_node(node_ranks) > available * node_ranks) {
    throw Error(
        ExitCode::host_memory,
        fmt::format(
            "host memory: offload {} needs {:.2f} GiB that the {} ranks of a node share and {:.2f} GiB for each "
            "rank, but the host has {:.2f} GiB for all of them; bf16 or offload resident needs less",
            name_of(run.settings.offload), to_gib(memory.host_shared), node_ranks, to_gib(memory.host_total()),
            to_gib(available * node_ranks)));
  }
  if (memory.host_total() > available) {
    throw Error(
        ExitCode::host_memory,
        fmt::format(
            "host memory: offload {} needs {:.2f} GiB for each rank, but the host has {:.2f} GiB for each of {} "
            "ranks; host_store shared, fewer ranks on a node, bf16 or offload resident needs less",
            name_of(run.settings.offload), to_gib(memory.host_total()), to_gib(available), node_ranks));
  }
}

// Collective when the store is shared.
std::optional<HostStore> load_store(MpiWorld& world, Device& device, const RunPlan& run, const OffloadPlan& offload,
                                    const WeightSource& source) {
  if (run.settings.host_store == HostStoreKind::per_node && reads_host_in_loop(offload.schedule)) {
    return HostStore::load_shared(world, device, offload.bytes, offload.host_memory, source);
  }
  std::optional<HostStore> store;
  world.all_or_none([&] { store = load_host_store(device, offload, source); });
  return store;
}

std::string describe_run(const Device& device, const MpiWorld& world, const WarmUp& warm, double weights_loaded_s,
                         const std::optional<HostStore>& store, const Transport& transport) {
  nlohmann::json environment = nlohmann::json::parse(describe_environment(device, world.rank(), world.ranks()));
  environment["warm_up_s"] = warm.seconds;
  environment["exchange_groups"] = warm.exchange_groups;
  environment["weights_loaded_s"] = weights_loaded_s;
  environment["transport"] = nlohmann::json::parse(describe_json(transport));
  if (!store) return environment.dump();
  const HostStoreReport& report = store->report();
  environment["host_store"] = {{"kind", name_of(report.kind)},        {"bytes", report.bytes},
                               {"own_bytes", report.own_bytes},       {"page_size", report.page_size},
                               {"present_s", report.present_s},       {"filled_s", report.filled_s},
                               {"registered_s", report.registered_s}, {"total_s", report.total_s}};
  return environment.dump();
}

// Only one of all ranks shows its progress.
ProgressDisplay display_of(const MpiWorld& world, bool quiet) {
  if (quiet || world.rank() != 0) return ProgressDisplay::none;
  return output_reaches_a_terminal(std::getenv) ? ProgressDisplay::in_place : ProgressDisplay::lines;
}

// Lines about the host store and the transport, printed only when the user has changed their settings.
void say_how_weights_move(const RunSettings& settings, const std::optional<HostStore>& store,
                          const Transport& transport) {
  if (store && store->report().kind == HostStoreKind::per_node) {
    const HostStoreReport& report = store->report();
    print_error(
        "wansweep-worker: host store: {:.2f} GiB that the ranks of a node share, {:.2f} GiB of them from rank 0, in "
        "pages "
        "of {}; allocated in {:.2f} s, filled in {:.2f} s and meanwhile registered in {:.2f} s, {:.2f} s in all\n",
        to_gib(report.bytes), to_gib(report.own_bytes), report.page_size, report.present_s, report.filled_s,
        report.registered_s, report.total_s);
  }
  if (settings.yield_to_collectives != Choice::off || settings.cooperative != Choice::off || settings.chunk_bytes > 0) {
    print_error("wansweep-worker: {}\n", describe_text(transport));
  }
}

void check_finite(const StepEnd& end) {
  if (end.not_finite == 0) return;
  throw Error(ExitCode::not_finite,
              fmt::format("after step {}, {} values of the latents are infinite or not a number; check the model, its "
                          "precision and the inputs, or set allow_nonfinite to go on",
                          end.step, end.not_finite));
}

// Runs on the watchdog's thread. Even if the disk or MPI hangs too, this process ends, and its launcher then ends the
// others.
void end_stalled_run(const std::string& out, int rank, const Stall& stall, bool speaks) {
  std::thread([] {
    std::this_thread::sleep_for(std::chrono::seconds(20));
    std::_Exit(static_cast<int>(ExitCode::stalled));
  }).detach();
  if (!speaks) return;
  report_failure(out, stall.rank.value_or(rank), ExitCode::stalled, stall.line);
  MpiWorld::abort(ExitCode::stalled);
}

// Keeps the tensors of every step, on rank 0.
void keep_step(MpiWorld& world, Device& device, const RunPlan& run, const Workspace& w, KeptSteps& kept) {
  const std::vector<float> latents = gather_latents(world, device, run, w.latents);
  const std::vector<float> noise_pred = gather_latents(world, device, run, w.noise_pred);
  kept.latents.insert(kept.latents.end(), latents.begin(), latents.end());
  kept.noise_pred.insert(kept.noise_pred.end(), noise_pred.begin(), noise_pred.end());
}

// While weights are loaded no step is running that could be finished, and loading may take minutes. So a signal ends
// the process at once, with async-signal-safe calls, and the launcher ends the other ranks.
class EndsAtOnce {
 public:
  explicit EndsAtOnce(int rank) {
    says_so = rank == 0 ? 1 : 0;
    ends_at_once = 1;
  }
  ~EndsAtOnce() { ends_at_once = 0; }
  EndsAtOnce(const EndsAtOnce&) = delete;
  EndsAtOnce& operator=(const EndsAtOnce&) = delete;
};

}  // namespace

void request_stop(int signal) {
  stop_signal = signal;
  if (ends_at_once == 0) return;
  constexpr std::string_view line = "wansweep-worker: stopped by a signal before the first step\n";
  const ssize_t ignored = says_so != 0 ? write(STDERR_FILENO, line.data(), line.size()) : 0;
  static_cast<void>(ignored);
  _exit(static_cast<int>(ExitCode::interrupted));
}

ExitCode run_session(MpiWorld& world, WorkerOptions options) {
  const std::string started_at = timestamp_now();

  // Settings and plan.
  RunPlan run;
  RunInputs inputs;
  OffloadPlan offload;
  world.all_or_none([&] {
    run = plan_for(options, world.ranks());
    inputs = make_inputs(run);
    offload = plan_offload(run, world.rank());
    make_output_directory(options.out);
  });
  const int steps = static_cast<int>(*run.settings.steps);
  RunProgress progress(stdout, display_of(world, options.quiet), steps);
  const double uses_per_step = static_cast<double>(offload.uses.size()) / steps;
  Watchdog watchdog(
      share_heartbeats(world), world.ranks(), run.settings.step_timeout,
      [&](const Stall& stall, bool speaks) { end_stalled_run(options.out, world.rank(), stall, speaks); });

  std::optional<EndsAtOnce> loading(world.rank());

  // Device. From here on, each object uses those above it, and is destroyed before them.
  std::vector<ClockRow> clock{world.measure_clock(false)};
  const Backend backend = open_backend(world, run.settings);
  Device& device = *backend.device;
  world.all_or_none([&] { check_fits(run, device, world.node_ranks()); });
  std::optional<Workspace> workspace;
  world.all_or_none([&] { workspace.emplace(device, run.activations, run.parallel); });
  WarmUp warm;
  const auto context_with = [&](Recorder& recorder) {
    return ModelContext{device,       backend.communicator.get(), recorder, *workspace, run,
                        world.rank(), warm.exchange_groups};
  };
  progress.begin("warming up");
  Recorder untraced(device, nullptr, TraceDetail::step);
  warm = warm_up(context_with(untraced), world);
  const Transport transport = decide_transport(world, backend, context_with(untraced),
                                               reads_host_in_loop(offload.schedule), world.most(warm.block_seconds));
  offload.copies = transport.copies;

  // Weights and trace.
  std::optional<TraceWriter> trace;
  std::optional<Recorder> recorder;
  std::optional<Streamer> streamer;
  std::unique_ptr<WeightSource> source;
  progress.begin("loading weights");
  const int64_t loading_since = monotonic_ns();
  world.all_or_none([&] { source = open_weights(run); });
  std::optional<HostStore> store = load_store(world, device, run, offload, *source);
  const double loaded_s = static_cast<double>(monotonic_ns() - loading_since) / 1e9;
  progress.clear();
  if (world.rank() == 0) say_how_weights_move(run.settings, store, transport);
  const bool load_together = store && transport.peers;
  world.all_or_none([&] {
    trace.emplace((std::filesystem::path(options.out) / trace_file_name(world.rank())).string(),
                  settings_with_plan(run), describe_run(device, world, warm, loaded_s, store, transport),
                  to_json(offload.schedule).dump());
    progress.print(fmt::format("warmed up in {:.1f} s, weights in {:.1f} s", warm.seconds, loaded_s));
    progress.begin("bringing the first weights to the device");
    recorder.emplace(device, &*trace, run.settings.trace_detail);
    upload_inputs(device, run, inputs, world.rank(), *workspace);
    streamer.emplace(device, *recorder, std::move(offload), std::move(store));
  });
  if (load_together) {
    streamer->load(*source);  // a rank that fails here ends the job, since others wait for its parts
  } else {
    world.all_or_none([&] { streamer->load(*source); });
  }
  source.reset();

  // Loop.
  loading.reset();
  const ModelContext context = context_with(*recorder);
  Transformer transformer(context, *streamer);
  const FinishOnExit finish(device);
  KeptSteps kept;
  watchdog.begin_steps(warm.block_seconds * uses_per_step);
  progress.begin_steps();
  const int finished = denoise(context, transformer, [&](const StepEnd& end) {
    watchdog.step_ended();
    progress.step_ended(end.step);
    if (run.settings.keep_steps) keep_step(world, device, run, *workspace, kept);
    if (!run.settings.allow_nonfinite) world.all_or_none([&] { check_finite(end); });
    return !world.any(stop_signal != 0);
  });
  watchdog.end_steps();
  progress.clear();
  clock.push_back(world.measure_clock(true));
  recorder->finish(clock);
  if (finished < steps) {
    trace->close();
    world.all_or_none([&] {
      // The signal may have reached only another rank.
      const int signal = stop_signal;
      throw Error(
          ExitCode::interrupted,
          fmt::format("stopped by {} after step {} of {}; the trace holds the finished steps",
                      signal != 0 ? fmt::format("signal {}", signal) : "a signal to another rank", finished, steps));
    });
  }

  // Results, and the record that they are complete.
  const std::vector<float> latents = gather_latents(world, device, run, workspace->latents);
  const std::string digest = world.broadcast_text(sha256(latents.data(), latents.size() * sizeof(float)));
  world.all_or_none([&] {
    trace->set_digest(digest);
    trace->close();
    if (world.rank() == 0) write_result(options.out, run, latents, kept);
  });
  const std::vector<TraceRecord> traces = collect_traces(world, options.out, *recorder);
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    write_completion(options.out, {world.ranks(), steps, digest, started_at, timestamp_now(), traces,
                                   read_back_result(options.out)});
    progress.end_steps();
  });
  return ExitCode::ok;
}

}  // namespace wansweep
