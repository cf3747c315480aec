#include "worker/weights/expert_weights.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "tests/support/expect_error.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/weights/safetensors.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

const std::string model = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v/";

class ExpertWeightsTest : public testing::Test {
 protected:
  ExpertWeights load(const std::string& directory) {
    return load_expert(*device_, config_, DType::f32, HostMemory::pageable, {directory, std::nullopt, "transformer"});
  }
  ExpertWeights random(uint64_t seed, const std::string& expert, DType type = DType::f32) {
    return load_expert(*device_, config_, type, HostMemory::pageable, {"", seed, expert});
  }

  ModelConfig config_ = read_model_config(model + "transformer/config.json");
  std::unique_ptr<CpuDevice> device_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
};

TEST_F(ExpertWeightsTest, EveryBlockTensorIsTheFilesOwn) {
  const ExpertWeights expert = load(model + "transformer");
  const SafetensorsModel file(model + "transformer");
  ASSERT_EQ(expert.blocks.size(), static_cast<size_t>(config_.layers));
  for (size_t block = 0; block < expert.blocks.size(); ++block) {
    for (const TensorPlace& place : expert.block.tensors) {
      std::vector<float> want(static_cast<size_t>(place.values()));
      convert_to_f32(file.find("blocks." + std::to_string(block) + "." + place.name), want.data());
      EXPECT_EQ(std::memcmp(expert.blocks[block] + place.offset, want.data(), want.size() * 4), 0)
          << "block " << block << ", " << place.name;
    }
  }
}

TEST_F(ExpertWeightsTest, RandomWeightsDependOnSeedAndExpertAlone) {
  const ExpertWeights one = random(1, "transformer");
  const ExpertWeights again = random(1, "transformer");
  const ExpertWeights other_seed = random(2, "transformer");
  const ExpertWeights other_expert = random(1, "transformer_2");
  const auto same = [&](const ExpertWeights& a, const ExpertWeights& b) {
    const TensorPlace& place = a.block.tensors[1];
    return std::memcmp(a.blocks[0] + place.offset, b.blocks[0] + place.offset,
                       static_cast<size_t>(place.values() * 4)) == 0;
  };
  EXPECT_TRUE(same(one, again));
  EXPECT_FALSE(same(one, other_seed));
  EXPECT_FALSE(same(one, other_expert));
}

TEST_F(ExpertWeightsTest, Bf16HalvesTheMatrices) {
  const ExpertWeights full = random(1, "transformer");
  const ExpertWeights half = random(1, "transformer", DType::bf16);
  EXPECT_LT(half.block.bytes, full.block.bytes * 0.51);
  EXPECT_GT(half.block.bytes, full.block.bytes * 0.49);
}

TEST_F(ExpertWeightsTest, AConfigOfAnotherSizeIsHeldAgainstTheFile) {
  config_.ffn_dim *= 2;
  expect_error(ExitCode::bad_input, "ffn.net.0.proj", [&] { load(model + "transformer"); });
}

TEST_F(ExpertWeightsTest, ALayerMoreThanTheFileHasIsNamed) {
  config_.layers += 1;
  expect_error(ExitCode::bad_input, "blocks.2.", [&] { load(model + "transformer"); });
}

TEST_F(ExpertWeightsTest, ALayerLessThanTheFileHasIsNamedToo) {
  config_.layers -= 1;
  expect_error(ExitCode::bad_input, "blocks.1.", [&] { load(model + "transformer"); });
}

TEST_F(ExpertWeightsTest, ADirectoryWithoutWeightsIsNamed) {
  const std::string empty = testing::TempDir() + "no-weights";
  fs::create_directories(empty);
  expect_error(ExitCode::bad_input, empty, [&] { load(empty); });
}

}  // namespace
}  // namespace wansweep
