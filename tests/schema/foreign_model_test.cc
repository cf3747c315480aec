#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "schema/model_catalog.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path diffusers_layout = WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v";

class ForeignModelTest : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    const fs::path file = directory_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  fs::path copy_model(const std::string& name) {
    const fs::path copy = directory_ / name;
    fs::create_directories(copy.parent_path());
    fs::copy(diffusers_layout, copy, fs::copy_options::recursive);
    return copy;
  }
  static void expect_refused(const fs::path& path, const std::string& part, const std::string& id = "") {
    expect_error(ExitCode::bad_input, part, [&] { identify_model(path.string(), id); });
  }
  TemporaryDirectory directory_;
};

TEST_F(ForeignModelTest, TheHubsCacheNamesTheSnapshotToGive) {
  const std::string cache = "models--Wan-AI--Wan2.2-T2V-A14B-Diffusers";
  const fs::path old = copy_model(cache + "/snapshots/ffff");
  const fs::path main = copy_model(cache + "/snapshots/5be7");
  expect_refused(directory_ / cache, "is a Hugging Face cache folder; give the snapshot in it: " + old.string());
  write(cache + "/refs/main", "5be7");
  expect_refused(directory_ / cache, "give the snapshot in it: " + main.string());
  expect_refused(directory_ / (cache + "/snapshots"), "holds a model in " + main.string() + "; give that");
  expect_refused(directory_.path(),
                 "is the Hugging Face cache of several models; give a snapshot in it: " + main.string());
  EXPECT_NO_THROW(identify_model(main.string(), ""));
}

TEST_F(ForeignModelTest, WansOriginalLayoutNamesTheRepositoryToGive) {
  write("a14b/high_noise_model/config.json", R"({"_class_name": "WanModel", "model_type": "i2v"})");
  expect_refused(directory_ / "a14b",
                 "has Wan's original layout (high_noise_model); give the model in diffusers layout: "
                 "Wan-AI/Wan2.2-I2V-A14B-Diffusers");
  write("small/config.json", R"({"_class_name": "WanModel", "model_type": "t2v", "dim": 1536})");
  expect_refused(directory_ / "small", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers");
  write("ti2v/config.json", R"({"_class_name": "WanModel", "model_type": "ti2v", "dim": 3072})");
  expect_refused(directory_ / "ti2v", "Wan-AI/Wan2.2-TI2V-5B-Diffusers");
  write("parts/Wan2.1_VAE.pth", "");
  expect_refused(directory_ / "parts",
                 "(Wan2.1_VAE.pth); give the model in diffusers layout: the repository of the same "
                 "name with -Diffusers at its end");
}

TEST_F(ForeignModelTest, OneExpertIsNotAModel) {
  expect_refused(copy_model("wan") / "transformer", "is one expert of a model; give the directory above it");
}

TEST_F(ForeignModelTest, ASingleFileIsNamedByItsKind) {
  const std::string header = "{}";
  std::string safetensors("\2\0\0\0\0\0\0\0", 8);
  safetensors += header;
  const struct {
    const char* name;
    std::string content;
    const char* kind;
  } files[] = {{"wan.gguf", std::string("GGUF\3\0\0\0", 8), "is a GGUF file"},
               {"wan.safetensors", safetensors, "is a single-file checkpoint (safetensors)"},
               {"wan.pth", "PK\3\4 and so on", "is a checkpoint of PyTorch's own format"},
               {"config.json", "version https://git-lfs.github.com/spec/v1\n", "is a git-lfs pointer"}};
  for (const auto& file : files) {
    expect_refused(write(file.name, file.content), file.kind);
    expect_refused(directory_ / file.name, file.kind, "t2v-a14b");
  }
  write("folder/wan-Q4.gguf", std::string("GGUF\3\0\0\0", 8));
  expect_refused(directory_ / "folder", "wan-Q4.gguf is a GGUF file");
}

TEST_F(ForeignModelTest, ACustomPipelinesClassIsAList) {
  const fs::path model = copy_model("wan");
  write("wan/model_index.json", R"({"_class_name": ["my_pipeline", "WanPipeline"], "boundary_ratio": 0.875})");
  expect_refused(model, R"(_class_name is a list (a custom pipeline), ["my_pipeline","WanPipeline"])");
  write("wan/model_index.json", R"({"_class_name": 3})");
  expect_refused(model, "_class_name is 3; \"WanPipeline\" or");
}

TEST_F(ForeignModelTest, APointerOrADanglingLinkInPlaceOfJsonIsNamed) {
  const fs::path model = copy_model("wan");
  const fs::path config = write("wan/transformer_2/config.json", "version https://git-lfs.github.com/spec/v1\n");
  expect_refused(model, config.string() + ": is a git-lfs pointer");
  fs::remove(config);
  fs::create_symlink("../../blobs/cd34", config);
  expect_refused(model, config.string() + " is a link to ../../blobs/cd34, which does not exist");
  fs::remove(model / "model_index.json");
  fs::create_symlink("../../blobs/ef56", model / "model_index.json");
  expect_refused(model, "model_index.json: is a link to ../../blobs/ef56, which does not exist");
  fs::create_symlink("nowhere", directory_ / "link");
  expect_refused(directory_ / "link", "link: is a link to nowhere, which does not exist");
}

TEST_F(ForeignModelTest, AQuantisedModelsConfigSaysSo) {
  const fs::path model = copy_model("wan");
  json config = json::parse(std::ifstream(model / "transformer/config.json"));
  config["quantization_config"] = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}};
  write("wan/transformer/config.json", config.dump());
  expect_refused(model, "this model is quantised (quantization_config: \"bitsandbytes\")");
}

TEST_F(ForeignModelTest, SizesThatNoModelHasAreRefused) {
  const json config = json::parse(std::ifstream(diffusers_layout / "transformer/config.json"));
  const auto expect_number_refused = [&](const char* field, const json& value, const std::string& range) {
    json changed = config;
    changed[field] = value;
    expect_error(ExitCode::bad_input,
                 std::string(field) + " is " + value.dump() + "; a whole number from 1 to " + range,
                 [&] { parse_model_config(changed.dump(), "config.json"); });
  };
  expect_number_refused("num_layers", 0, "10000");
  expect_number_refused("num_layers", 4294967298, "10000");
  expect_number_refused("ffn_dim", 18446744073709551615u, "1000000");
  expect_number_refused("num_attention_heads", 2.5, "1024");
  expect_number_refused("patch_size", {1, 2, 4294967298}, "64");
}

TEST_F(ForeignModelTest, AHubNameIsNotADirectory) {
  expect_refused("Wan-AI/Wan2.2-T2V-A14B-Diffusers",
                 "is a name on Hugging Face: download the model and give its directory");
}

TEST_F(ForeignModelTest, APathThatCannotBeLookedAtIsReportedAndIsNoInternalError) {
  fs::create_symlink("loop", directory_ / "loop");
  expect_refused(directory_ / "loop", "loop");
  expect_refused(directory_ / std::string(300, 'x'), "File name too long");
}

}  // namespace
}  // namespace wansweep
