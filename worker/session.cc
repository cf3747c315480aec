#include "worker/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/sha256.h"
#include "base/units.h"
#include "schema/setting_fields.h"
#include "worker/backend.h"
#include "worker/device/host_capacity.h"
#include "worker/job.h"
#include "worker/results.h"
#include "worker/trace/environment.h"
#include "worker/warm_up.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

volatile std::sig_atomic_t stop_signal = 0;

// Before anything is allocated: what the run takes of the device, and what its experts take of the host, where even
// `resident` has them while it loads.
void check_fits(const Job& job, const Device& device, int node_ranks) {
  const MemoryEstimate estimate = estimate_memory(job.memory, job.plan);
  const int64_t limit = device.memory_use().device_limit;
  if (estimate.device_total() > limit) {
    throw Error(
        ExitCode::device_memory,
        fmt::format("device memory: offload {} needs {:.2f} GiB for weights and {:.2f} GiB for activations, the device "
                    "has {:.2f} GiB; layerwise needs least",
                    name_of(job.spec.offload), to_gib(estimate.device_weights), to_gib(estimate.device_activations),
                    to_gib(limit)));
  }
  const ModelConfig& config = job.model.config;
  const int64_t expert = block_layout(config, job.type).bytes * config.layers + other_layout(config, job.type).bytes;
  const int64_t needed = expert * (job.model.two_experts ? 2 : 1);
  const int64_t available = available_host_memory(0, node_ranks);
  if (needed > available) {
    throw Error(ExitCode::host_memory,
                fmt::format("host memory: the experts take {:.2f} GiB a rank, the host has {:.2f} GiB for each of {} "
                            "ranks; fewer ranks a node, or bf16, take less",
                            to_gib(needed), to_gib(available), node_ranks));
  }
}

std::vector<ExpertWeights> load_experts(Device& device, const Job& job) {
  const RunSpec& spec = job.spec;
  std::vector<ExpertWeights> experts;
  for (const char* name : {"transformer", "transformer_2"}) {
    if (!experts.empty() && !job.model.two_experts) break;
    WeightSource source;
    source.expert = name;
    source.random_seed = random_weights_seed(spec.weights);
    if (!source.random_seed) source.directory = (std::filesystem::path(spec.model) / name).string();
    experts.push_back(load_expert(device, job.model.config, job.type, spec.host_memory, source));
  }
  return experts;
}

void upload(Device& device, DType type, const std::vector<float>& values, void* to) {
  const auto count = static_cast<int64_t>(values.size());
  if (type == DType::f32) {
    device.copy_in(StreamId::compute, to, values.data(), count * 4);
    device.synchronize();
    return;
  }
  std::vector<uint16_t> converted(values.size());
  convert_to_bf16({"", "F32", {count}, reinterpret_cast<const std::byte*>(values.data()), count * 4}, converted.data());
  device.copy_in(StreamId::compute, to, converted.data(), count * 2);
  device.synchronize();
}

// This rank's tokens of the latents, zeros behind the last one, and all else that does not change while the loop runs.
void upload_inputs(Device& device, const Job& job, const RankPlace& place, Workspace& w) {
  const ModelConfig& config = job.model.config;
  const std::vector<float> all = patchify(config, job.run.input.latents, job.inputs.latents.data());
  std::vector<float> mine(static_cast<size_t>(job.plan.tokens_per_rank * config.patch_values()), 0.0f);
  if (place.valid_tokens > 0) {
    std::copy_n(all.begin() + place.token_begin * config.patch_values(), place.valid_tokens * config.patch_values(),
                mine.begin());
  }
  upload(device, DType::f32, mine, w.latents);
  upload(device, job.type, job.inputs.prompt, w.prompt);
  upload(device, job.type, job.inputs.negative_prompt, w.negative_prompt);
  upload(device, DType::f32, rotary_table(config, job.run.input.latents, place.token_begin, job.plan.tokens_per_rank),
         w.rotary);
}

}  // namespace

void request_stop(int signal) { stop_signal = signal; }

ExitCode run_session(MpiWorld& world, WorkerOptions options) {
  const std::string started_at = timestamp_now();
  Job job;
  world.all_or_none([&] {
    job = prepare_job(std::move(options.spec), world.ranks());
    std::error_code error;
    std::filesystem::create_directories(options.out, error);
    if (error) throw Error(ExitCode::output, fmt::format("{}: cannot be made ({})", options.out, error.message()));
    if (access(options.out.c_str(), W_OK | X_OK) != 0) {
      throw Error(ExitCode::output, fmt::format("{}: cannot write there ({})", options.out, std::strerror(errno)));
    }
  });

  const RankPlace place = place_of(job.plan, world.rank());
  std::vector<ClockRow> clock{world.measure_clock(false)};
  const Backend backend = open_backend(world, job);
  Device* device = backend.device.get();
  std::unique_ptr<TraceWriter> trace;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Workspace> workspace;
  std::unique_ptr<Offload> offload;
  std::vector<ExpertWeights> experts;
  world.all_or_none([&] { check_fits(job, *device, world.node_ranks()); });
  world.all_or_none([&] { workspace = std::make_unique<Workspace>(*device, job.memory, job.plan); });
  warm_up(*device, backend.communicator.get(), job, *workspace, world.rank());
  world.all_or_none([&] {
    const int64_t loading_since = monotonic_ns();
    experts = load_experts(*device, job);
    const double loaded_s = static_cast<double>(monotonic_ns() - loading_since) / 1e9;
    nlohmann::json environment = nlohmann::json::parse(describe_environment(*device, world.rank(), world.ranks()));
    environment["weights_loaded_s"] = loaded_s;
    trace = std::make_unique<TraceWriter>((std::filesystem::path(options.out) / trace_file_name(world.rank())).string(),
                                          to_json(job.spec).dump(), environment.dump());
    recorder = std::make_unique<Recorder>(*device, trace.get(), job.spec.trace_detail);
    upload_inputs(*device, job, place, *workspace);
    const int prefetch = prefetch_blocks(job.spec.prefetch, job.model.config.layers);
    offload = make_offload(job.spec.offload, {*device, *recorder, experts, prefetch});
  });

  ShardedAttention attention(*device, backend.communicator.get(), *recorder, *workspace, job.plan, world.rank(),
                             job.model.config);
  Transformer transformer(*device, *recorder, *workspace, attention, *offload, job.model.config,
                          job.plan.tokens_per_rank, job.run.input.text_tokens);
  KeptSteps kept;
  auto after_step = [&](int) {
    if (job.spec.keep_steps) {
      const std::vector<float> latents = gather_latents(world, *device, job, workspace->latents);
      const std::vector<float> noise_pred = gather_latents(world, *device, job, workspace->noise_pred);
      kept.latents.insert(kept.latents.end(), latents.begin(), latents.end());
      kept.noise_pred.insert(kept.noise_pred.end(), noise_pred.begin(), noise_pred.end());
    }
    return !world.any(stop_signal != 0);
  };
  const int finished = denoise(
      job.loop,
      {*device, *recorder, *workspace, transformer, *offload, backend.communicator.get(), job.plan, world.rank()},
      after_step);
  clock.push_back(world.measure_clock(true));
  recorder->finish(clock);
  const int steps = static_cast<int>(*job.spec.steps);
  if (finished < steps) {
    trace->close();
    world.all_or_none([&] {
      throw Error(ExitCode::interrupted, fmt::format("stopped by signal {} after step {} of {}; the trace holds them",
                                                     static_cast<int>(stop_signal), finished, steps));
    });
  }

  const std::vector<float> latents = gather_latents(world, *device, job, workspace->latents);
  const std::string digest = world.broadcast_text(sha256(latents.data(), latents.size() * sizeof(float)));
  std::vector<TraceRecord> traces;
  world.all_or_none([&] {
    trace->set_digest(digest);
    trace->close();
    if (world.rank() == 0) write_result(options.out, job, latents, kept);
  });
  traces = collect_traces(world, options.out, *recorder);
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    write_completion(options.out, {world.ranks(), steps, digest, started_at, timestamp_now(), traces});
  });
  return ExitCode::ok;
}

}  // namespace wansweep
