// The interface of a device: memory with a limit, streams, events, a gate, copies, and the model's operations.
//
// The transformer and the streamer are written once against this interface; cpu/ and cuda/ implement it. Every call
// that takes a stream returns at once, and its work runs in that stream's order. An exception of a stream's work is
// thrown again by the next synchronize(). Only one thread, the rank's main one, calls a device. Sizes are in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schema/setting_values.h"
#include "schema/trace_rows.h"
#include "worker/device/ops.h"

namespace wansweep {

// A point in a stream's work. Copies refer to the same point. A default-constructed event is always complete, with time
// 0.
class EventState {  // each backend derives its own class
 public:
  virtual ~EventState() = default;
};
using Event = std::shared_ptr<EventState>;

// Owns device or host memory. A buffer of device memory must not be destroyed while a stream still uses it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(void* data, int64_t bytes, std::shared_ptr<void> owner)
      : data_(data), bytes_(bytes), owner_(std::move(owner)) {}
  std::byte* data() const { return static_cast<std::byte*>(data_); }
  int64_t bytes() const { return bytes_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  void* data_ = nullptr;
  int64_t bytes_ = 0;
  std::shared_ptr<void> owner_;  // its deleter gives the memory back
};

struct MemoryUse {
  int64_t device_used = 0;  // bytes allocated now
  int64_t device_peak = 0;  // the most bytes ever allocated at once
  int64_t device_limit = 0;
  int64_t host_used = 0;
  int64_t host_peak = 0;
};

// A device's energy, power and clocks at one moment.
struct DevicePower {
  int64_t energy_mj = 0;  // since the driver was loaded; the difference of two samples is the energy in between
  int32_t power_mw = 0;   // averaged by the device over the last moments
  int32_t sm_clock_mhz = 0;
  int32_t temperature_c = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  // Memory. `what` names the use in errors: "device memory: 1340 MiB for 3 block slots cannot be allocated; 512 of 4096
  // MiB are free". Throws Error(device_memory) or Error(host_memory). Addresses are aligned to 256 bytes. The content
  // is undefined.
  virtual Buffer allocate(int64_t bytes, const std::string& what) = 0;
  virtual Buffer allocate_host(int64_t bytes, HostMemory kind, const std::string& what) = 0;
  // Registers pages that something else has mapped (worker/comm/node_memory.h), so that they can be copied like memory
  // from allocate_host. The returned buffer keeps `pages` and unregisters them at its end. Several ranks may register
  // the same pages; memory_use() counts `own_bytes` of them as this rank's. Throws Error(host_memory).
  virtual Buffer register_host(Buffer pages, HostMemory kind, int64_t own_bytes) = 0;
  virtual MemoryUse memory_use() const = 0;

  // Streams and events. time_ns() is the time, on the rank's monotonic clock, at which the stream passed the event; it
  // may be called only when the event is complete.
  virtual Event record(StreamId stream) = 0;
  virtual void wait(StreamId stream, const Event& event) = 0;  // the stream waits; the caller does not
  virtual void synchronize(const Event& event) = 0;            // the caller waits
  virtual void synchronize() = 0;                              // for all streams
  virtual bool done(const Event& event) = 0;
  virtual int64_t time_ns(const Event& event) = 0;

  // The gate, open at first: work enqueued on a stream after pass_gate() waits while the gate is closed. Closing and
  // opening are enqueued on a stream too, and both always run, also after the stream's work has failed. Close the gate
  // only while data moves, never while a peer is awaited: the peer may be waiting for the work that the gate holds.
  virtual void close_gate(StreamId by) = 0;
  virtual void open_gate(StreamId by) = 0;
  virtual void pass_gate(StreamId waits) = 0;

  // Copies. Those between host and device pass through the link.
  virtual void copy_in(StreamId stream, void* device, const void* host, int64_t bytes) = 0;
  virtual void copy_out(StreamId stream, void* host, const void* device, int64_t bytes) = 0;
  virtual void copy_device(StreamId stream, void* to, const void* from, int64_t bytes) = 0;

  // The model's operations, which run on the compute stream.
  virtual Ops& ops() = 0;

  // One JSON object for the trace's /environment: name, memory, link, versions.
  virtual std::string describe_json() const = 0;

  // nullopt when the device does not report its power.
  virtual std::optional<DevicePower> power() const { return std::nullopt; }
};

// Waits at the end of its scope for all enqueued work, also when an exception ends the scope. Declare it after
// everything that streams use, so that nothing is freed under running work. It does not throw the work's exceptions:
// callers that need them call synchronize() themselves.
class FinishOnExit {
 public:
  explicit FinishOnExit(Device& device) : device_(device) {}
  ~FinishOnExit() {
    try {
      device_.synchronize();
    } catch (...) {  // see above
    }
  }
  FinishOnExit(const FinishOnExit&) = delete;
  FinishOnExit& operator=(const FinishOnExit&) = delete;

 private:
  Device& device_;
};

}  // namespace wansweep
