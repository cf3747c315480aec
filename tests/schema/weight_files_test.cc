#include "schema/weight_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path tiny_model = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v";
constexpr const char* single = "diffusion_pytorch_model.safetensors";

// A copy of the tiny model that a test damages, and then checks as a plan does.
class WeightFilesTest : public testing::Test {
 protected:
  void SetUp() override { fs::copy(tiny_model, model(), fs::copy_options::recursive); }
  std::string model() const { return directory_ / "wan"; }
  std::string in(const std::string& file) const { return model() + "/" + file; }

  void check() const { check_model_weights(model(), config_, true); }
  void expect_refused(const std::string& part) const {
    expect_error(ExitCode::bad_input, part, [&] { check(); });
  }

  // Rewrites the header of a file, and puts as much data behind it as the header asks for.
  template <typename Change>
  void rewrite(const std::string& file, Change change) {
    const SafetensorsHeader old = read_safetensors_header(file);
    json header;
    for (const auto& [name, entry] : old.tensors) header[name] = {{"dtype", entry.dtype}, {"shape", entry.shape}};
    change(header);
    int64_t offset = 0;
    for (auto& [name, entry] : header.items()) {
      int64_t bytes = safetensors_value_bytes(entry["dtype"]);
      for (const int64_t size : entry["shape"]) bytes *= size;
      entry["data_offsets"] = {offset, offset + bytes};
      offset += bytes;
    }
    const std::string text = header.dump();
    const uint64_t length = text.size();
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(&length), sizeof length) << text;
    fs::resize_file(file, sizeof length + length + static_cast<uint64_t>(offset));
  }

  TemporaryDirectory directory_;
  ModelConfig config_ = read_model_config((tiny_model / "transformer" / "config.json").string());
};

TEST_F(WeightFilesTest, TheReferenceModelPassesAndItsShardsAreListed) {
  EXPECT_NO_THROW(check());
  const WeightFiles files = read_weight_files(in("transformer"));
  EXPECT_EQ(files.files.size(), 2u);
  EXPECT_EQ(files.tensors.size(), 2u * 27 + 15);
  const WeightFiles::Tensor& tensor = files.tensors.at("blocks.1.attn1.to_q.weight");
  EXPECT_EQ(tensor.entry.shape, (std::vector<int64_t>{192, 192}));
  EXPECT_TRUE(fs::exists(files.file_of(tensor)));
}

TEST_F(WeightFilesTest, AMissingShardIsNamedWithWhoNeedsIt) {
  fs::remove(in("transformer/diffusion_pytorch_model-00002-of-00002.safetensors"));
  expect_refused("names diffusion_pytorch_model-00002-of-00002.safetensors, which does not exist");
  fs::remove(in("transformer/diffusion_pytorch_model-00001-of-00002.safetensors"));
  expect_refused("(2 of 2 shards are missing)");
}

TEST_F(WeightFilesTest, AShardThatIsCutShortIsNamed) {
  const std::string file = in("transformer/diffusion_pytorch_model-00001-of-00002.safetensors");
  fs::resize_file(file, fs::file_size(file) - 1);
  expect_refused(file);
}

TEST_F(WeightFilesTest, APointerOfGitLfsIsNotTheWeightsNorTheIndex) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9876543210\n";
  std::ofstream(in("transformer_2/") + single) << pointer;
  expect_refused("is a git-lfs pointer");
  std::ofstream(in("transformer/") + single + ".index.json") << pointer;
  expect_refused(".index.json: is a git-lfs pointer");
}

TEST_F(WeightFilesTest, ALinkThatLeadsNowhereIsADownloadThatDidNotEnd) {
  fs::remove(in("transformer_2/") + single);
  fs::create_symlink("../../blobs/ab12", in("transformer_2/") + single);
  expect_refused("is a link to ../../blobs/ab12, which does not exist: the download is incomplete");
}

TEST_F(WeightFilesTest, WeightsUnderAnotherNameAreMentioned) {
  fs::rename(in("transformer_2/") + single, in("transformer_2/diffusion_pytorch_model.fp16.safetensors"));
  expect_refused(
      "nor diffusion_pytorch_model.safetensors.index.json, but diffusion_pytorch_model.fp16.safetensors; one of them "
      "is needed");
}

TEST_F(WeightFilesTest, TypesThatTheWorkerDoesNotReadAreNamedBeforeShapes) {
  rewrite(in("transformer_2/") + single, [](json& header) {
    json& packed = header["blocks.0.attn1.to_q.weight"];  // two values of 4 bits share a byte
    packed["dtype"] = "U8";
    packed["shape"][1] = packed["shape"][1].get<int64_t>() / 2;
  });
  expect_refused(
      "tensor blocks.0.attn1.to_q.weight has the type U8, as in a quantised model, and only F32, BF16 and F16");
}

TEST_F(WeightFilesTest, HalvesOfEitherKindAreRead) {
  for (const char* type : {"BF16", "F16"}) {
    rewrite(in("transformer_2/") + single, [&](json& header) {
      for (json& entry : header) entry["dtype"] = type;
    });
    EXPECT_NO_THROW(check()) << type;
  }
}

TEST_F(WeightFilesTest, AWrongShapeAMissingAndAnUnexpectedTensorAreNamed) {
  const std::string file = in("transformer_2/") + single;
  rewrite(file, [](json& header) { header["blocks.1.ffn.net.2.bias"]["shape"] = {191}; });
  expect_refused(file + ": tensor blocks.1.ffn.net.2.bias has the shape [191]; config.json asks for [192]");
  rewrite(file, [](json& header) { header.erase("blocks.1.ffn.net.2.bias"); });
  expect_refused("has no tensor blocks.1.ffn.net.2.bias; a model of 2 blocks needs it");
  rewrite(file, [](json& header) {
    header["blocks.1.ffn.net.2.bias"] = {{"dtype", "F32"}, {"shape", {192}}};
    header["blocks.2.norm2.bias"] = {{"dtype", "F32"}, {"shape", {192}}};
  });
  expect_refused("unexpected tensor blocks.2.norm2.bias: this model has blocks 0 to 1");
}

TEST_F(WeightFilesTest, OneExpertIsCheckedAlone) {
  fs::remove_all(in("transformer_2"));
  EXPECT_NO_THROW(check_model_weights(model(), config_, false));
  expect_refused("transformer_2: has neither");
}

}  // namespace
}  // namespace wansweep
