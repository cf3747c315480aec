// Memory with its limit, copies, streams and events, and the clock of a GPU.

#include <sys/mman.h>

#include <cstring>
#include <numeric>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/support/expect_error.h"
#include "tests/support/nap.h"
#include "tests/worker/device/cuda/cuda_fixture.h"

namespace wansweep::test {
namespace {

constexpr int64_t mebibyte = int64_t{1} << 20;

using CudaDeviceTest = CudaTest;

TEST_F(CudaDeviceTest, CopiesBringBackWhatWasSent) {
  for (const HostMemory kind : {HostMemory::pinned, HostMemory::pageable}) {
    const int64_t bytes = 5 * mebibyte + 13;
    const Buffer sent = gpu().allocate_host(bytes, kind, "sent"), back = gpu().allocate_host(bytes, kind, "back");
    const Buffer first = gpu().allocate(bytes, "first"), second = gpu().allocate(bytes, "second");
    for (int64_t i = 0; i < bytes; ++i) sent.data()[i] = static_cast<std::byte>(i % 251);
    gpu().copy_in(StreamId::copy, first.data(), sent.data(), bytes);
    gpu().wait(StreamId::compute, gpu().record(StreamId::copy));
    gpu().copy_device(StreamId::compute, second.data(), first.data(), bytes);
    gpu().wait(StreamId::comm, gpu().record(StreamId::compute));
    gpu().copy_out(StreamId::comm, back.data(), second.data(), bytes);
    gpu().synchronize();
    EXPECT_EQ(std::memcmp(sent.data(), back.data(), static_cast<size_t>(bytes)), 0);
  }
}

TEST_F(CudaDeviceTest, EventsAreTimedOnTheRanksClock) {
  const int64_t bytes = 64 * mebibyte;
  const Buffer host = gpu().allocate_host(bytes, HostMemory::pinned, "host"), device = gpu().allocate(bytes, "device");
  const int64_t before = monotonic_ns();
  std::vector<Event> copied, computed;
  for (int i = 0; i < 100; ++i) {  // more than one of the clock's marks
    gpu().copy_in(StreamId::copy, device.data(), host.data(), mebibyte);
    copied.push_back(gpu().record(StreamId::copy));
    gpu().wait(StreamId::compute, copied.back());
    computed.push_back(gpu().record(StreamId::compute));
  }
  gpu().synchronize(computed.back());
  const int64_t after = monotonic_ns();
  constexpr int64_t unsure_of_host = 200'000, unsure = 2000;
  EXPECT_GE(gpu().time_ns(copied.front()), before - unsure_of_host);
  EXPECT_LE(gpu().time_ns(computed.back()), after + unsure_of_host);
  for (size_t i = 0; i < copied.size(); ++i) {
    EXPECT_TRUE(gpu().done(copied[i]));
    EXPECT_GE(gpu().time_ns(computed[i]), gpu().time_ns(copied[i]) - unsure) << i;
    if (i == 0) continue;
    EXPECT_GT(gpu().time_ns(copied[i]), gpu().time_ns(copied[i - 1])) << i;
    EXPECT_GE(gpu().time_ns(computed[i]), gpu().time_ns(computed[i - 1]) - unsure) << i;
  }
}

TEST_F(CudaDeviceTest, ADefaultEventIsDone) {
  EXPECT_TRUE(gpu().done(Event()));
  EXPECT_EQ(gpu().time_ns(Event()), 0);
  gpu().wait(StreamId::compute, Event());
  gpu().synchronize(Event());
}

TEST_F(CudaDeviceTest, MemoryPastTheLimitIsAnErrorWithTheNumbers) {
  const std::unique_ptr<Device> small = open_cuda_device({.memory_bytes = 100 * mebibyte});
  EXPECT_EQ(small->memory_use().device_limit, 100 * mebibyte);
  const int64_t used = small->memory_use().device_used;
  const Buffer held = small->allocate(40 * mebibyte, "held");
  EXPECT_EQ(small->memory_use().device_used, used + 40 * mebibyte);
  expect_error(ExitCode::device_memory, "device memory: 80 MiB for block slots cannot",
               [&] { small->allocate(80 * mebibyte, "block slots"); });
  EXPECT_EQ(small->memory_use().device_used, used + 40 * mebibyte);
}

TEST_F(CudaDeviceTest, HostMemoryIsRefusedBeforeItIsTaken) {
  expect_error(ExitCode::host_memory, "host memory: 1048576.00 GiB for weights cannot",
               [&] { gpu().allocate_host(int64_t{1} << 50, HostMemory::pinned, "weights"); });
}

TEST_F(CudaDeviceTest, FreedMemoryIsCountedDownAndThePeakStays) {
  const MemoryUse before = gpu().memory_use();
  {
    const Buffer device = gpu().allocate(512 * mebibyte, "device");
    const Buffer host = gpu().allocate_host(512 * mebibyte, HostMemory::pinned, "host");
    EXPECT_EQ(gpu().memory_use().host_used, before.host_used + 512 * mebibyte);
  }
  const MemoryUse after = gpu().memory_use();
  EXPECT_EQ(after.device_used, before.device_used);
  EXPECT_EQ(after.host_used, before.host_used);
  EXPECT_GE(after.device_peak, before.device_used + 512 * mebibyte);
}

TEST_F(CudaDeviceTest, TheGateHoldsACopyUntilItIsOpen) {
  const int64_t bytes = mebibyte;
  const Buffer host = gpu().allocate_host(bytes, HostMemory::pinned, "host"), device = gpu().allocate(bytes, "device");
  gpu().pass_gate(StreamId::copy);  // open at first
  gpu().synchronize();
  gpu().close_gate(StreamId::comm);
  gpu().synchronize(gpu().record(StreamId::comm));
  gpu().pass_gate(StreamId::copy);
  gpu().copy_in(StreamId::copy, device.data(), host.data(), bytes);
  const Event copied = gpu().record(StreamId::copy);
  gpu().copy_in(StreamId::peers, device.data(), host.data(), bytes);  // does not ask for it
  gpu().synchronize(gpu().record(StreamId::peers));
  nap(50);
  EXPECT_FALSE(gpu().done(copied));
  gpu().open_gate(StreamId::comm);
  gpu().synchronize();
  EXPECT_TRUE(gpu().done(copied));
}

TEST_F(CudaDeviceTest, SharedPagesThatAreRegisteredAreCopiedFromAndCountedAsTold) {
  const int64_t bytes = 64 * mebibyte;
  void* mapped = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const std::shared_ptr<void> pages(mapped, [bytes](void* at) { munmap(at, static_cast<size_t>(bytes)); });
  std::memset(mapped, 7, static_cast<size_t>(bytes));
  const int64_t before = gpu().memory_use().host_used;
  {
    const Buffer host = gpu().register_host(Buffer(mapped, bytes, pages), HostMemory::pinned, 1000);
    EXPECT_EQ(gpu().memory_use().host_used, before + 1000);
    const Buffer device = gpu().allocate(bytes, "device");
    gpu().copy_in(StreamId::copy, device.data(), host.data(), bytes);
    gpu().copy_out(StreamId::copy, host.data(), device.data(), bytes / 2);
    gpu().synchronize();
    EXPECT_EQ(host.data()[bytes - 1], std::byte{7});
  }
  EXPECT_EQ(gpu().memory_use().host_used, before);
}

TEST_F(CudaDeviceTest, DescribesItself) {
  const nlohmann::json json = nlohmann::json::parse(gpu().describe_json());
  for (const char* key : {"name", "uuid", "pci_bus_id", "compute_capability", "memory_bytes", "cuda_driver",
                          "cuda_runtime", "cublas", "cudnn", "nccl", "driver", "link"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

}  // namespace
}  // namespace wansweep::test
