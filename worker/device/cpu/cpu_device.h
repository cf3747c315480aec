// The CPU backend's device: an arena with a limit, four threads as streams, and a link with a set rate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "worker/device/cpu/arena.h"
#include "worker/device/cpu/cpu_ops.h"
#include "worker/device/cpu/gate.h"
#include "worker/device/cpu/link.h"
#include "worker/device/cpu/stream.h"
#include "worker/device/device.h"

namespace wansweep {

struct CpuDeviceOptions {
  int64_t memory_bytes = 0;
  std::shared_ptr<Link> link;  // null: copies run at memory speed
};

// Once a stream's work has thrown, every synchronize throws that exception, and the device cannot be used any more. The
// destructor first runs all queued work; buffers that the work uses must live until then or until a synchronize.
class CpuDevice : public Device {
 public:
  explicit CpuDevice(const CpuDeviceOptions& options);

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

  Ops& ops() override { return ops_; }
  std::string describe_json() const override;

  // Runs `work` on a stream, in order. Communicators enqueue their exchanges with it.
  void enqueue(StreamId stream, std::function<void()> work);
  // Runs work that takes the link's time and not the thread's (stream.h).
  void enqueue_timed(StreamId stream, std::function<int64_t(int64_t begin)> work);
  Link* link() const { return link_.get(); }  // may be null
  Gate& gate() { return gate_; }              // for work that closes the gate itself

 private:
  Stream& at(StreamId stream);
  void copy(StreamId stream, Direction direction, void* to, const void* from, int64_t bytes);

  std::shared_ptr<Arena> arena_;  // shared with the buffers: one may outlive the device
  std::shared_ptr<HostPool> host_;
  std::shared_ptr<Link> link_;
  StreamFailure failure_;
  Gate gate_;
  Stream compute_, copy_, comm_, peers_;
  CpuOps ops_;
};

std::unique_ptr<CpuDevice> open_cpu_device(const CpuDeviceOptions& options);

}  // namespace wansweep
