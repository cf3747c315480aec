// Device memory is an arena in host memory, and a stream is a thread. A copy between host and device takes the time
// that the emulated link needs, or the processor's time where that is longer.

#include "worker/device/cpu/cpu_device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"

namespace wansweep {
namespace {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

CpuEvent& as_cpu(const Event& event) { return static_cast<CpuEvent&>(*event); }

}  // namespace

CpuDevice::CpuDevice(const CpuDeviceOptions& options)
    : arena_(std::make_shared<Arena>(options.memory_bytes)),
      host_(std::make_shared<HostPool>()),
      link_(options.link),
      compute_(failure_),
      copy_(failure_),
      comm_(failure_),
      peers_(failure_),
      ops_(compute_) {}

Buffer CpuDevice::allocate(int64_t bytes, const std::string& what) {
  void* data = arena_->allocate(bytes, what);
  return {data, bytes, std::shared_ptr<void>(data, [arena = arena_](void* freed) { arena->release(freed); })};
}

Buffer CpuDevice::allocate_host(int64_t bytes, HostMemory kind, const std::string& what) {
  void* data = host_->allocate(bytes, kind == HostMemory::pinned, what);
  return {data, bytes,
          std::shared_ptr<void>(data, [host = host_, bytes](void* freed) { host->release(freed, bytes); })};
}

Buffer CpuDevice::register_host(Buffer pages, HostMemory, int64_t own_bytes) {
  host_->count(own_bytes);
  void* data = pages.data();
  const int64_t bytes = pages.bytes();
  std::shared_ptr<void> owner(data, [host = host_, own_bytes, pages = std::move(pages)](void*) mutable {
    pages = Buffer();
    host->count(-own_bytes);
  });
  return {data, bytes, std::move(owner)};
}

MemoryUse CpuDevice::memory_use() const {
  return {.device_used = arena_->used(),
          .device_peak = arena_->peak(),
          .device_limit = arena_->limit(),
          .host_used = host_->used(),
          .host_peak = host_->peak()};
}

Stream& CpuDevice::at(StreamId stream) {
  switch (stream) {
    case StreamId::compute:
      return compute_;
    case StreamId::copy:
      return copy_;
    case StreamId::comm:
      return comm_;
    case StreamId::peers:
      break;
  }
  return peers_;
}

Event CpuDevice::record(StreamId stream) { return at(stream).record(); }

void CpuDevice::wait(StreamId stream, const Event& event) {
  if (event) at(stream).wait(std::static_pointer_cast<CpuEvent>(event));
}

void CpuDevice::synchronize(const Event& event) {
  if (event) as_cpu(event).wait();
  failure_.rethrow();
}

void CpuDevice::synchronize() {
  const std::shared_ptr<CpuEvent> ends[] = {compute_.record(), copy_.record(), comm_.record(), peers_.record()};
  for (const auto& end : ends) end->wait();
  failure_.rethrow();
}

bool CpuDevice::done(const Event& event) { return !event || as_cpu(event).done(); }

int64_t CpuDevice::time_ns(const Event& event) { return event ? as_cpu(event).time_ns() : 0; }

void CpuDevice::close_gate(StreamId by) {
  at(by).enqueue_always([this] { gate_.close(); });
}

void CpuDevice::open_gate(StreamId by) {
  at(by).enqueue_always([this] { gate_.open(); });
}

void CpuDevice::pass_gate(StreamId waits) {
  at(waits).enqueue_always([this] { gate_.pass(); });
}

void CpuDevice::copy(StreamId stream, Direction direction, void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  if (!link_) return copy_device(stream, to, from, bytes);
  // A link that is faster than this processor copies takes the processor's time.
  enqueue_timed(stream, [link = link_.get(), direction, to, from, bytes](int64_t begin) {
    const int64_t used = thread_processor_ns();
    const int64_t end = link->transfer(direction, to, from, bytes, begin);
    return std::max(end, begin + thread_processor_ns() - used);
  });
}

void CpuDevice::copy_in(StreamId stream, void* device, const void* host, int64_t bytes) {
  copy(stream, Direction::in, device, host, bytes);
}

void CpuDevice::copy_out(StreamId stream, void* host, const void* device, int64_t bytes) {
  copy(stream, Direction::out, host, device, bytes);
}

void CpuDevice::copy_device(StreamId stream, void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  enqueue(stream, [to, from, bytes] { std::memcpy(to, from, static_cast<size_t>(bytes)); });
}

void CpuDevice::enqueue(StreamId stream, std::function<void()> work) { at(stream).enqueue(std::move(work)); }

void CpuDevice::enqueue_timed(StreamId stream, std::function<int64_t(int64_t)> work) {
  at(stream).enqueue_timed(std::move(work));
}

std::string CpuDevice::describe_json() const {
  nlohmann::json description = {{"backend", "cpu"},
                                {"name", processor_name()},
                                {"memory_bytes", arena_->limit()},
                                {"link", nullptr},
                                {"blas", CpuOps::blas_version()}};
  if (link_) {
    description["link"] = {{"in_bytes_per_s", link_->rate(Direction::in)},
                           {"out_bytes_per_s", link_->rate(Direction::out)}};
  }
  return description.dump();
}

std::unique_ptr<CpuDevice> open_cpu_device(const CpuDeviceOptions& options) {
  return std::make_unique<CpuDevice>(options);
}

}  // namespace wansweep
