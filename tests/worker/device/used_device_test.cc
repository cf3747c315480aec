#include "worker/device/used_device.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/worker/device/stand_in_nvml.h"
#include "worker/device/cuda/nvml.h"

namespace wansweep {
namespace {

constexpr int64_t gib = int64_t{1} << 30;

// NVML with one GPU, in place of the driver's: a library that is loaded under its name already.
class UsedDevice : public testing::Test {
 protected:
  UsedDevice() : library_(dlopen(WANSWEEP_STAND_IN_NVML, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ != nullptr) listing_ = static_cast<StandInNvml*>(dlsym(library_, "stand_in_nvml"));
  }
  void SetUp() override { ASSERT_NE(listing_, nullptr) << dlerror(); }
  ~UsedDevice() override {
    if (library_ != nullptr) dlclose(library_);
  }

  std::optional<std::string> why() const {
    const std::optional<DeviceUse> use = Nvml("0000:17:00.0").use();
    EXPECT_TRUE(use);
    return use ? why_in_use(*use) : std::nullopt;
  }

  void* library_;
  StandInNvml* listing_ = nullptr;
};

TEST_F(UsedDevice, ADeviceThatNobodyUsesIsTaken) {
  *listing_ = {};
  listing_->used = 4 << 20;
  EXPECT_EQ(why(), std::nullopt);
}

TEST_F(UsedDevice, ADeviceThatOthersUseIsRefusedWithTheirProcessesAndTheirMemory) {
  *listing_ = {};
  listing_->processes = 2;
  listing_->process[0] = 4711;
  listing_->memory[0] = 3ULL << 30;
  listing_->process[1] = 4712;
  listing_->memory[1] = ~0ULL;
  EXPECT_EQ(why(),
            "Stand-in GPU 0000:17:00.0: in use by process 4711 (3.00 GiB), process 4712 (unknown memory); what is "
            "measured beside them says nothing of the machine: end them, or take another GPU");
}

TEST_F(UsedDevice, MemoryThatIsTakenByNobodyNamedCountsToo) {
  *listing_ = {};
  listing_->used = 20 * gib;
  EXPECT_EQ(why(),
            "Stand-in GPU 0000:17:00.0: in use by a process that the driver does not name (20.00 GiB); what is "
            "measured beside them says nothing of the machine: end them, or take another GPU");
}

}  // namespace
}  // namespace wansweep
