// The class of the CUDA device, for the communicators of the CUDA backend and for tests; other code uses
// worker/device/device.h.
#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/cuda_events.h"
#include "worker/device/cuda/device_memory.h"
#include "worker/device/cuda/gate.h"
#include "worker/device/cuda/host_memory.h"
#include "worker/device/cuda/nvml.h"

namespace wansweep {

class CudaDevice : public Device {
 public:
  CudaDevice(int ordinal, int64_t memory_limit, int node_ranks);  // limit in bytes; number of ranks on this host
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  Buffer allocate(int64_t bytes, const std::string& what) override;
  Buffer allocate_host(int64_t bytes, HostMemory kind, const std::string& what) override;
  Buffer register_host(Buffer pages, HostMemory kind, int64_t own_bytes) override;
  MemoryUse memory_use() const override;

  Event record(StreamId stream) override;
  void wait(StreamId stream, const Event& event) override;
  void synchronize(const Event& event) override;
  void synchronize() override;
  bool done(const Event& event) override;
  int64_t time_ns(const Event& event) override;

  void close_gate(StreamId by) override;
  void open_gate(StreamId by) override;
  void pass_gate(StreamId waits) override;

  void copy_in(StreamId stream, void* device, const void* host, int64_t bytes) override;
  void copy_out(StreamId stream, void* host, const void* device, int64_t bytes) override;
  void copy_device(StreamId stream, void* to, const void* from, int64_t bytes) override;

  Ops& ops() override { return *ops_; }
  std::string describe_json() const override;
  std::optional<DevicePower> power() const override { return nvml_->sample(); }

  cudaStream_t stream(StreamId id) const { return streams_[static_cast<size_t>(id)]; }
  DevicePiece piece_of(const void* address) const { return memory_->piece_of(address); }
  const cudaDeviceProp& properties() const { return properties_; }
  std::string uuid() const;
  std::string pci_bus_id() const;

  // Registers a check for failures that CUDA does not know of, such as NCCL's. The device calls the check while the
  // host waits; the check throws. Each `owner` has one check, and removes it before it ends.
  void add_failure_check(const void* owner, std::function<void()> check);
  void remove_failure_check(const void* owner);

 private:
  void wait_until(const std::function<bool()>& passed);
  void check_failures() const;

  int ordinal_;
  cudaDeviceProp properties_{};
  std::shared_ptr<CudaMemoryPool> memory_;
  std::shared_ptr<CudaHostPool> host_;
  std::vector<cudaStream_t> streams_;  // by StreamId
  std::unique_ptr<CudaGate> gate_;
  std::unique_ptr<EventClock> clock_;
  std::unique_ptr<Nvml> nvml_;
  std::unique_ptr<Ops> ops_;
  std::map<const void*, std::function<void()>> failure_checks_;
};

}  // namespace wansweep
