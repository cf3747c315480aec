#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"
#include "worker/weights/safetensors.h"

namespace wansweep {
namespace {

class SafetensorsModelTest : public testing::Test {
 protected:
  void write_file(const std::string& name, const std::string& tensor, float value) {
    write_safetensors(directory_ / name, {}, {{tensor, {1}, &value}});
  }
  void write_index(const std::string& text) {
    write_text(directory_ / "diffusion_pytorch_model.safetensors.index.json", text);
  }
  void expect_refused(const std::string& part) {
    expect_error(ExitCode::bad_input, part, [&] { SafetensorsModel{directory_.path()}; });
  }
  TemporaryDirectory directory_;
};

TEST_F(SafetensorsModelTest, OneFileIsAModel) {
  write_file("diffusion_pytorch_model.safetensors", "a", 5);
  const SafetensorsModel model(directory_.path());
  EXPECT_EQ(model.files().tensors.size(), 1u);
  EXPECT_TRUE(model.contains("a"));
  expect_error(ExitCode::bad_input, directory_.path() + ": tensor b is missing", [&] { model.find("b"); });
}

TEST_F(SafetensorsModelTest, AnIndexFindsEachTensorInItsShard) {
  write_file("one.safetensors", "a", 1);
  write_file("two.safetensors", "b", 2);
  write_index(R"({"metadata": {}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  const SafetensorsModel model(directory_.path());
  float value = 0;
  convert_to_f32(model.find("b"), &value);
  EXPECT_EQ(value, 2);
  convert_to_f32(model.find("a"), &value);
  EXPECT_EQ(value, 1);
}

TEST_F(SafetensorsModelTest, ADirectoryWithoutWeightsOrWithTwoKindsIsRefused) {
  expect_refused("has neither diffusion_pytorch_model.safetensors nor diffusion_pytorch_model.safetensors.index.json");
  write_file("diffusion_pytorch_model.safetensors", "a", 5);
  write_index("{}");
  expect_refused("has both");
}

TEST_F(SafetensorsModelTest, AnIndexThatIsWrongIsRefused) {
  write_file("one.safetensors", "a", 1);
  write_index("{");
  expect_refused("index.json: is not JSON");
  write_index("[]");
  expect_refused("index.json: is not a JSON object");
  write_index(R"({"weight_map": []})");
  expect_refused("index.json: has no weight_map object");
  write_index(R"({"weight_map": {"a": 1}})");
  expect_refused("weight_map.a is not a string");
  write_index(R"({"weight_map": {"a": "../one.safetensors"}})");
  expect_refused("weight_map.a is \"../one.safetensors\"; a file name without /");
  write_index(R"({"weight_map": {"a": ""}})");
  expect_refused("weight_map.a is \"\"");
  write_index(R"({"weight_map": {"a": "gone.safetensors"}})");
  expect_refused("weight_map.a names gone.safetensors, which does not exist");
  write_index(R"({"weight_map": {"b": "one.safetensors"}})");
  expect_refused("weight_map.b names one.safetensors, which does not hold that tensor");
}

TEST_F(SafetensorsModelTest, ABrokenShardIsNamed) {
  write_text(directory_ / "one.safetensors", "short");
  write_index(R"({"weight_map": {"a": "one.safetensors"}})");
  expect_refused("one.safetensors: has 5 bytes");
}

}  // namespace
}  // namespace wansweep
