// The host never blocks inside CUDA: it polls, so that a failure that CUDA does not know of (a peer's death, which NCCL
// reports through a failure check) ends the wait. A blocking call would hang for ever.
// Streams do not wait for the default stream; only events order them. The operations and the clock use the streams and
// are destroyed before them; a memory pool outlives the device as long as a Buffer holds it.
// The destructor checks nothing: after a failed kernel every CUDA call fails, and the first error was reported.

#include <cudnn.h>
#include <fmt/format.h>
#include <nccl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/cuda_device_impl.h"
#include "worker/device/cuda/cuda_ops.h"

namespace wansweep {

namespace {

// "13.0" of 13000, CUDA's way to write versions.
std::string cuda_version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

CudaEvent& as_cuda(const Event& event) { return static_cast<CudaEvent&>(*event); }

}  // namespace

CudaDevice::CudaDevice(int ordinal, int64_t memory_limit, int node_ranks)
    : ordinal_(ordinal),
      memory_(std::make_shared<CudaMemoryPool>(memory_limit)),
      host_(std::make_shared<CudaHostPool>(node_ranks)) {
  cudaCheck(cudaSetDevice(ordinal));
  cudaCheck(cudaGetDeviceProperties(&properties_, ordinal));
  // With a higher priority, an exchange's kernels get a free multiprocessor before the next blocks of attention do: an
  // exchange is small beside attention, and other ranks wait for it.
  int least = 0, greatest = 0;
  cudaCheck(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  for (const StreamId id : values_of<StreamId>()) {
    cudaCheck(cudaStreamCreateWithPriority(&streams_.emplace_back(), cudaStreamNonBlocking,
                                           id == StreamId::comm ? greatest : least));
  }
  gate_ = std::make_unique<CudaGate>(stream(StreamId::compute));
  clock_ = std::make_unique<EventClock>(stream(StreamId::compute));
  nvml_ = std::make_unique<Nvml>(pci_bus_id());
  ops_ = std::make_unique<CudaOps>(*this);
}

CudaDevice::~CudaDevice() {
  cudaDeviceSynchronize();
  ops_.reset();
  clock_.reset();
  gate_.reset();
  for (cudaStream_t stream : streams_) cudaStreamDestroy(stream);
}

Buffer CudaDevice::allocate(int64_t bytes, const std::string& what) { return memory_->allocate(bytes, what); }

Buffer CudaDevice::allocate_host(int64_t bytes, HostMemory kind, const std::string& what) {
  return host_->allocate(bytes, kind, what);
}

Buffer CudaDevice::register_host(Buffer pages, HostMemory kind, int64_t own_bytes) {
  return host_->register_pages(std::move(pages), kind, own_bytes);
}

MemoryUse CudaDevice::memory_use() const {
  return {.device_used = memory_->used(),
          .device_peak = memory_->peak(),
          .device_limit = memory_->limit(),
          .host_used = host_->used(),
          .host_peak = host_->peak()};
}

Event CudaDevice::record(StreamId id) { return clock_->record(stream(id)); }

void CudaDevice::wait(StreamId id, const Event& event) {
  if (event) cudaCheck(cudaStreamWaitEvent(stream(id), as_cuda(event).event.get(), 0));
}

// Polls often at first, then sleeps in between: the loop waits once a step, for seconds, and there may be more ranks
// than cores.
void CudaDevice::wait_until(const std::function<bool()>& passed) {
  constexpr int64_t eager_ns = 200'000;
  const int64_t start = monotonic_ns();
  while (!passed()) {
    check_failures();
    if (monotonic_ns() - start < eager_ns) {
      sched_yield();
    } else {
      usleep(20);
    }
  }
}

void CudaDevice::add_failure_check(const void* owner, std::function<void()> check) {
  failure_checks_[owner] = std::move(check);
}

void CudaDevice::remove_failure_check(const void* owner) { failure_checks_.erase(owner); }

void CudaDevice::check_failures() const {
  for (const auto& [owner, check] : failure_checks_) check();
}

void CudaDevice::synchronize(const Event& event) {
  if (event) wait_until([&] { return as_cuda(event).event.done(); });
  check_failures();
  clock_->follow_host();
}

void CudaDevice::synchronize() {
  for (cudaStream_t stream : streams_) {
    wait_until([&] {
      const cudaError_t result = cudaStreamQuery(stream);
      if (result == cudaErrorNotReady) return false;
      cudaCheck(result);
      return true;
    });
  }
  check_failures();
}

bool CudaDevice::done(const Event& event) { return !event || as_cuda(event).event.done(); }

int64_t CudaDevice::time_ns(const Event& event) { return event ? clock_->time_ns(as_cuda(event)) : 0; }

void CudaDevice::close_gate(StreamId by) { gate_->close(stream(by)); }

void CudaDevice::open_gate(StreamId by) { gate_->open(stream(by)); }

void CudaDevice::pass_gate(StreamId waits) { gate_->pass(stream(waits)); }

void CudaDevice::copy_in(StreamId id, void* device, const void* host, int64_t bytes) {
  cudaCheck(cudaMemcpyAsync(device, host, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream(id)));
}

void CudaDevice::copy_out(StreamId id, void* host, const void* device, int64_t bytes) {
  cudaCheck(cudaMemcpyAsync(host, device, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream(id)));
}

void CudaDevice::copy_device(StreamId id, void* to, const void* from, int64_t bytes) {
  cudaCheck(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, stream(id)));
}

std::string CudaDevice::uuid() const {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(properties_.uuid.bytes[i]));
  }
  return text;
}

std::string CudaDevice::pci_bus_id() const {
  std::array<char, 32> text{};
  cudaCheck(cudaDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()), ordinal_));
  return text.data();
}

std::string CudaDevice::describe_json() const {
  int driver = 0, runtime = 0, nccl = 0;
  cudaCheck(cudaDriverGetVersion(&driver));
  cudaCheck(cudaRuntimeGetVersion(&runtime));
  ncclGetVersion(&nccl);
  nlohmann::json json = {{"backend", "cuda"},
                         {"name", properties_.name},
                         {"uuid", uuid()},
                         {"pci_bus_id", pci_bus_id()},
                         {"compute_capability", fmt::format("{}.{}", properties_.major, properties_.minor)},
                         {"multiprocessors", properties_.multiProcessorCount},
                         {"memory_bytes", static_cast<int64_t>(properties_.totalGlobalMem)},
                         {"memory_limit_bytes", memory_->limit()},
                         {"cuda_driver", cuda_version(driver)},
                         {"cuda_runtime", cuda_version(runtime)},
                         {"cublas", cublasLtGetVersion()},
                         {"cudnn", cudnnGetVersion()},
                         {"nccl", nccl},
                         {"algorithm_cache", static_cast<const CudaOps&>(*ops_).algorithm_cache()},
                         {"attention", static_cast<const CudaOps&>(*ops_).attention_libraries()},
                         {"attention_kernels", static_cast<const CudaOps&>(*ops_).attention_kernels()}};
  json.update(nvml_->describe());
  return json.dump();
}

}  // namespace wansweep
