// What the loop needs of a device: memory with a limit, streams, events on them, a gate, copies, and a few operations.
//
// The transformer and the offload modes are written once against this interface; cpu/ and cuda/ implement it. Every
// call that takes a stream returns at once and runs in that stream's order. What a stream's work throws is thrown again
// by the next synchronize() call. One thread, the rank's main one, calls a device.
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

// A point in a stream's work. Copies are references to the same point; a default one is always done, with time 0.
class EventState {  // each backend derives its own
 public:
  virtual ~EventState() = default;
};
using Event = std::shared_ptr<EventState>;

// Device or host memory, freed with its owner. Free device memory only when no stream still uses it.
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
  int64_t device_used = 0;  // bytes handed out now
  int64_t device_peak = 0;  // most ever handed out
  int64_t device_limit = 0;
  int64_t host_used = 0;
  int64_t host_peak = 0;
};

// What a device drew and ran at, at one moment.
struct DevicePower {
  int64_t energy_mj = 0;  // drawn since the driver was loaded: a difference is what was drawn between two moments
  int32_t power_mw = 0;   // over the last moments, as the device averages them
  int32_t sm_clock_mhz = 0;
  int32_t temperature_c = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  // Memory. `what` names the use in errors: "device memory: block slots ask for 1340 MiB, 512 of 4096 MiB are left".
  // Throws Error(device_memory) or Error(host_memory). Addresses are aligned to 256 bytes. Contents are undefined.
  virtual Buffer allocate(int64_t bytes, const std::string& what) = 0;
  virtual Buffer allocate_host(int64_t bytes, HostMemory kind, const std::string& what) = 0;
  // Makes pages that something else has mapped (worker/comm/node_memory.h) fit for copies, as allocate_host would; the
  // buffer that comes back keeps `pages`, and undoes it at its end. memory_use() counts `own_bytes` of them as this
  // rank's: several ranks may register the same pages. Throws Error(host_memory).
  virtual Buffer register_host(Buffer pages, HostMemory kind, int64_t own_bytes) = 0;
  virtual MemoryUse memory_use() const = 0;

  // Streams and events. time_ns: when the stream passed the event, on the rank's monotonic clock; only after it is
  // done.
  virtual Event record(StreamId stream) = 0;
  virtual void wait(StreamId stream, const Event& event) = 0;  // the stream waits, not the caller
  virtual void synchronize(const Event& event) = 0;            // the caller waits
  virtual void synchronize() = 0;                              // for all streams
  virtual bool done(const Event& event) = 0;
  virtual int64_t time_ns(const Event& event) = 0;

  // The gate, open at first: what a stream has enqueued behind pass_gate() waits while it is closed. Closing and
  // opening take their turn in a stream, too, and always both: also after its work has failed. It is to be closed only
  // for as long as data moves, never for as long as a peer is awaited: a peer may be waiting for what is held here.
  virtual void close_gate(StreamId by) = 0;
  virtual void open_gate(StreamId by) = 0;
  virtual void pass_gate(StreamId waits) = 0;

  // Copies. Those between host and device pass through the link.
  virtual void copy_in(StreamId stream, void* device, const void* host, int64_t bytes) = 0;
  virtual void copy_out(StreamId stream, void* host, const void* device, int64_t bytes) = 0;
  virtual void copy_device(StreamId stream, void* to, const void* from, int64_t bytes) = 0;

  // Operations of the model; always on the compute stream.
  virtual Ops& ops() = 0;

  // One JSON object for the trace's /environment: name, memory, link, versions.
  virtual std::string describe_json() const = 0;

  // None where the device does not tell.
  virtual std::optional<DevicePower> power() const { return std::nullopt; }
};

// Waits at the end of its scope for all that was enqueued, whatever ends the scope: declare it behind everything that
// streams use, so that nothing is freed under running work. What the work throws is not thrown here: who needs to know
// synchronizes himself.
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
