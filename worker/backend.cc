#include "worker/backend.h"

#include <fmt/format.h>

#include "base/units.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/used_device.h"
#ifdef WANSWEEP_CUDA
#include "worker/device/cuda/cuda_device.h"
#endif

namespace wansweep {

namespace {

bool fits(BackendKind backend, CommunicatorKind communicator) {
  switch (communicator) {
    case CommunicatorKind::automatic:
      return true;
    case CommunicatorKind::mpi:
      return backend == BackendKind::cpu;
    case CommunicatorKind::nccl:
    case CommunicatorKind::ipc:
      return backend == BackendKind::cuda;
  }
  return false;
}

void check_communicator(const RunSettings& spec) {
  if (fits(spec.backend, spec.communicator)) return;
  throw bad_input(
      fmt::format("communicator is {}, backend is {}; backend cpu needs mpi, backend cuda needs nccl or ipc",
                  name_of(spec.communicator), name_of(spec.backend)));
}

Backend open_cpu(MpiWorld& world, const RunSettings& spec) {
  CpuDeviceOptions options;
  options.memory_bytes =
      static_cast<int64_t>((spec.device_memory > 0 ? spec.device_memory : default_cpu_device_gib) * gibibyte);
  if (spec.link_bandwidth > 0) {
    const double rate = spec.link_bandwidth * 1e9;
    LinkState* shared = spec.link == LinkSharing::shared ? world.shared_link_state() : nullptr;
    options.link = std::make_shared<Link>(rate, rate, shared);
  }
  std::unique_ptr<CpuDevice> device = open_cpu_device(options);
  Backend backend;
  if (world.ranks() > 1) backend.communicator = make_mpi_communicator(*device);
  backend.device = std::move(device);
  return backend;
}

#ifdef WANSWEEP_CUDA
CudaDeviceOptions cuda_options(const MpiWorld& world, const RunSettings& spec) {
  CudaDeviceOptions options;
  options.memory_bytes = static_cast<int64_t>(spec.device_memory * gibibyte);
  options.node_rank = world.node_rank();
  options.node_ranks = world.node_ranks();
  options.share_device = spec.share_device;
  return options;
}

std::optional<DeviceUse> use_of_gpu(const MpiWorld& world, const RunSettings& spec) {
  return use_of_cuda_device(cuda_options(world, spec));
}

Backend open_cuda(MpiWorld& world, const RunSettings& spec) {
  Backend backend;
  std::string identity;
  world.all_or_none([&] {
    backend.device = open_cuda_device(cuda_options(world, spec));
    identity = cuda_device_identity(*backend.device);
  });
  const std::vector<std::string> identities = world.gather_text(identity);
  world.all_or_none([&] { check_devices_differ(identities, spec.share_device); });
  if (world.ranks() == 1) return backend;
  // NCCL refuses ranks that share a GPU.
  const bool ipc = spec.communicator == CommunicatorKind::ipc ||
                   (spec.communicator == CommunicatorKind::automatic && spec.share_device);
  backend.communicator = ipc ? make_ipc_communicator(*backend.device) : make_nccl_communicator(*backend.device);
  return backend;
}
#else
Backend open_cuda(MpiWorld& world, const RunSettings&) {
  world.all_or_none([] {
    throw bad_input(
        "backend is cuda, but this wansweep-worker was built without CUDA; configuring with CMake tells why");
  });
  return {};
}

std::optional<DeviceUse> use_of_gpu(const MpiWorld&, const RunSettings&) { return std::nullopt; }
#endif

}  // namespace

void refuse_used_device(MpiWorld& world, const RunSettings& settings) {
  world.all_or_none([&] {
    switch (settings.backend) {
      case BackendKind::cpu:
        return;
      case BackendKind::cuda:
        break;
    }
    const std::optional<DeviceUse> use = use_of_gpu(world, settings);
    const std::optional<std::string> why = use ? why_in_use(*use) : std::nullopt;
    if (why) throw Error(ExitCode::device_unavailable, *why);
  });
}

Backend open_backend(MpiWorld& world, const RunSettings& settings) {
  world.all_or_none([&] { check_communicator(settings); });
  switch (settings.backend) {
    case BackendKind::cpu:
      return open_cpu(world, settings);
    case BackendKind::cuda:
      return open_cuda(world, settings);
  }
  return {};
}

std::unique_ptr<Communicator> open_peer_communicator(const Backend& backend, const RunSettings& settings) {
  constexpr CommunicatorPlace place{StreamId::peers, Among::node};
  switch (settings.backend) {
    case BackendKind::cpu:
      return make_mpi_communicator(static_cast<CpuDevice&>(*backend.device), place);
    case BackendKind::cuda:
      break;
  }
#ifdef WANSWEEP_CUDA
  if (peers_can_read_each_other(*backend.device)) return make_ipc_communicator(*backend.device, place);
  return make_nccl_communicator(*backend.device, place);
#else
  return nullptr;
#endif
}

}  // namespace wansweep
