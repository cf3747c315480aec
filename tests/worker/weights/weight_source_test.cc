#include "worker/weights/weight_source.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/weights/host_store.h"
#include "worker/weights/safetensors.h"

namespace wansweep {
namespace {

const std::string model = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v";

class WeightSourceTest : public testing::Test {
 protected:
  std::vector<std::byte> block(const WeightSource& source, int expert, int index, DType type = DType::f32) {
    std::vector<std::byte> bytes(static_cast<size_t>(block_layout(config_, type).bytes));
    source.read(expert, index, bytes.data());
    return bytes;
  }
  std::unique_ptr<WeightSource> checkpoint(const std::string& directory = model) {
    return open_checkpoint(directory, config_, DType::f32, 2);
  }

  ModelConfig config_ = read_model_config(model + "/transformer/config.json");
};

TEST_F(WeightSourceTest, EveryBlockTensorIsTheFilesOwn) {
  const std::unique_ptr<WeightSource> source = checkpoint();
  const BufferLayout layout = block_layout(config_, DType::f32);
  for (int expert = 0; expert < 2; ++expert) {
    const SafetensorsModel file(model + (expert == 0 ? "/transformer" : "/transformer_2"));
    for (int index = 0; index < config_.layers; ++index) {
      const std::vector<std::byte> bytes = block(*source, expert, index);
      for (const TensorPlace& place : layout.tensors) {
        std::vector<float> want(static_cast<size_t>(place.values()));
        convert_to_f32(file.find("blocks." + std::to_string(index) + "." + place.name), want.data());
        EXPECT_EQ(std::memcmp(bytes.data() + place.offset, want.data(), want.size() * 4), 0)
            << "expert " << expert << ", block " << index << ", " << place.name;
      }
    }
  }
}

TEST_F(WeightSourceTest, RandomWeightsDependOnSeedExpertAndBlockAlone) {
  const auto one = random_weights(1, config_, DType::f32), again = random_weights(1, config_, DType::f32);
  const auto two = random_weights(2, config_, DType::f32);
  const BufferLayout layout = block_layout(config_, DType::f32);
  const TensorPlace& matrix = layout.tensors[1];
  const auto same = [&](const std::vector<std::byte>& a, const std::vector<std::byte>& b) {
    return std::memcmp(a.data() + matrix.offset, b.data() + matrix.offset, static_cast<size_t>(matrix.values() * 4)) ==
           0;
  };
  EXPECT_TRUE(same(block(*one, 0, 0), block(*again, 0, 0)));
  EXPECT_FALSE(same(block(*one, 0, 0), block(*two, 0, 0)));
  EXPECT_FALSE(same(block(*one, 0, 0), block(*one, 1, 0)));
  EXPECT_FALSE(same(block(*one, 0, 0), block(*one, 0, 1)));
}

TEST_F(WeightSourceTest, AStoreHoldsEveryPieceOfEveryExpert) {
  auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  const auto source = random_weights(3, config_, DType::bf16);
  const WeightBytes bytes = weight_bytes(config_, DType::bf16, 2);
  const HostStore store(*device, bytes, HostMemory::pageable, *source);
  EXPECT_EQ(device->memory_use().host_used, 2 * bytes.expert());
  for (int expert = 0; expert < 2; ++expert) {
    for (int index = outside_blocks; index < config_.layers; ++index) {
      const std::span<const std::byte> held = store.piece(expert, index);
      ASSERT_EQ(static_cast<int64_t>(held.size()), index == outside_blocks ? bytes.other : bytes.block);
      std::vector<std::byte> want(held.size());
      source->read(expert, index, want.data());
      const BufferLayout layout =
          index == outside_blocks ? other_layout(config_, DType::bf16) : block_layout(config_, DType::bf16);
      for (const TensorPlace& place : layout.tensors) {
        EXPECT_EQ(std::memcmp(held.data() + place.offset, want.data() + place.offset,
                              static_cast<size_t>(place.values() * size_of(place.type))),
                  0)
            << expert << " " << index << " " << place.name;
      }
    }
  }
}

TEST_F(WeightSourceTest, AConfigOfAnotherSizeThanTheFileIsRefused) {
  config_.ffn_dim *= 2;
  expect_error(ExitCode::bad_input, "ffn.net.0.proj", [&] { checkpoint(); });
}

TEST_F(WeightSourceTest, AConfigWithMoreLayersThanTheFileIsRefused) {
  config_.layers += 1;
  expect_error(ExitCode::bad_input, "blocks.2.", [&] { checkpoint(); });
}

TEST_F(WeightSourceTest, AConfigWithFewerLayersThanTheFileIsRefused) {
  config_.layers -= 1;
  expect_error(ExitCode::bad_input, "blocks.1.", [&] { checkpoint(); });
}

TEST_F(WeightSourceTest, ADirectoryWithoutWeightsIsNamed) {
  const TemporaryDirectory empty;
  std::filesystem::create_directories(empty / "transformer");
  expect_error(ExitCode::bad_input, empty / "transformer", [&] { checkpoint(empty.path()); });
}

}  // namespace
}  // namespace wansweep
