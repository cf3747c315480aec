#include "schema/model_catalog.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "schema/error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A directory with the files of a published repository that decide what it is: no weights.
class ModelCatalog : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "wansweep-catalog-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  static void write(const fs::path& file, const json& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content.dump();
  }

  static json transformer_config(const CatalogEntry& entry) {
    const ModelConfig& c = entry.config;
    return {{"_class_name", "WanTransformer3DModel"},
            {"num_attention_heads", c.heads},
            {"attention_head_dim", c.head_dim},
            {"num_layers", c.layers},
            {"ffn_dim", c.ffn_dim},
            {"in_channels", c.in_channels},
            {"out_channels", c.out_channels},
            {"text_dim", c.text_dim},
            {"freq_dim", c.freq_dim},
            {"patch_size", {1, 2, 2}},
            {"cross_attn_norm", true},
            {"qk_norm", "rms_norm_across_heads"}};
  }

  std::string publish(const std::string& id, const std::string& directory) {
    const CatalogEntry& entry = catalog_entry(id);
    const fs::path path = root_ / directory;
    json index{{"_class_name", entry.class_name}, {"transformer", {"diffusers", "WanTransformer3DModel"}}};
    if (entry.two_experts) {
      index["boundary_ratio"] = *entry.boundary_ratio;
      index["transformer_2"] = {"diffusers", "WanTransformer3DModel"};
      write(path / "transformer_2/config.json", transformer_config(entry));
    }
    if (id == "ti2v-5b") {
      index["expand_timesteps"] = true;
      index["boundary_ratio"] = nullptr;
      index["transformer_2"] = {nullptr, nullptr};
    }
    write(path / "model_index.json", index);
    write(path / "transformer/config.json", transformer_config(entry));
    write(path / "scheduler/scheduler_config.json", {{"flow_shift", id == "ti2v-5b" ? 5.0 : 3.0}});
    return path.string();
  }

  static std::string line_of(const std::string& path, const std::string& id = "") {
    try {
      identify_model(path, id);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_input);
      return error.what();
    }
    return "";
  }

  fs::path root_;
};

struct Expected {
  const char* id;
  const char* published_name;
  // What each SGLang makes of the published name, and of a directory called wan2.2.
  const char* by_name;
  double by_name_shift;
  const char* renamed;
  double renamed_shift;
};

const Expected expectations[] = {
    {"wan2.1-t2v-1.3b", "Wan2.1-T2V-1.3B-Diffusers", "WanT2V480PConfig", 3, "WanT2V480PConfig", 3},
    {"wan2.1-t2v-14b", "Wan2.1-T2V-14B-Diffusers", "WanT2V720PConfig", 5, "WanT2V480PConfig", 3},
    {"t2v-a14b", "Wan2.2-T2V-A14B-Diffusers", "Wan2_2_T2V_A14B_Config", 12, "WanT2V480PConfig", 3},
    {"i2v-a14b", "Wan2.2-I2V-A14B-Diffusers", "Wan2_2_I2V_A14B_Config", 5, "WanI2V480PConfig", 3},
    {"ti2v-5b", "Wan2.2-TI2V-5B-Diffusers", "Wan2_2_TI2V_5B_Config", 5, "WanT2V480PConfig", 3},
};

TEST_F(ModelCatalog, TheFilesDecideWhateverThePathIsCalled) {
  for (const Expected& expected : expectations) {
    const std::string published = publish(expected.id, std::string("a/") + expected.published_name);
    const std::string renamed = publish(expected.id, std::string("b/") + expected.id + "/wan2.2");
    const std::string cached =
        publish(expected.id, std::string("hub/models--Wan-AI--") + expected.published_name + "/snapshots/0123abcd");
    const std::string link = (root_ / (std::string("link-") + expected.id)).string();
    fs::create_directory_symlink(published, link);
    for (const std::string& path : {published, published + "/", renamed, cached, link}) {
      const ModelIdentity model = identify_model(path, "");
      EXPECT_EQ(model.entry->id, expected.id) << path;
      EXPECT_TRUE(model.same_size) << path;
      EXPECT_FALSE(model.rule.empty());
    }
  }
}

TEST_F(ModelCatalog, SglangGoesByTheName) {
  for (const Expected& expected : expectations) {
    const std::string published = publish(expected.id, std::string("a/") + expected.published_name);
    const std::string renamed = publish(expected.id, std::string("b/") + expected.id + "/wan2.2");
    const std::string cached =
        publish(expected.id, std::string("hub/models--Wan-AI--") + expected.published_name + "/snapshots/0123abcd");
    for (const char* resolver : {"sglang-2025-12", "sglang-2026-03"}) {
      EXPECT_EQ(sglang_verdict(resolver, published, "").config, expected.by_name);
      EXPECT_EQ(sglang_verdict(resolver, published, "").flow_shift, expected.by_name_shift);
      EXPECT_EQ(sglang_verdict(resolver, renamed, "").config, expected.renamed) << resolver << " " << expected.id;
      EXPECT_EQ(sglang_verdict(resolver, renamed, "").flow_shift, expected.renamed_shift);
      // A trailing slash leaves no last part to go by.
      EXPECT_EQ(sglang_verdict(resolver, published + "/", "").config, expected.renamed) << resolver;
    }
    // Only the newer one looks for a hub cache folder, and takes a declared id.
    EXPECT_EQ(sglang_verdict("sglang-2025-12", cached, "").config, expected.renamed);
    EXPECT_EQ(sglang_verdict("sglang-2026-03", cached, "").config, expected.by_name);
    EXPECT_EQ(sglang_verdict("sglang-2025-12", renamed, expected.id).config, expected.renamed);
    EXPECT_EQ(sglang_verdict("sglang-2026-03", renamed, expected.id).config, expected.by_name);
    // The newer one also takes a name that only contains a registered one.
    const std::string longer = publish(expected.id, std::string("c/my-") + expected.published_name + "-bf16");
    EXPECT_EQ(sglang_verdict("sglang-2025-12", longer, "").config, expected.renamed);
    EXPECT_EQ(sglang_verdict("sglang-2026-03", longer, "").config, expected.by_name);
  }
}

TEST_F(ModelCatalog, TheBoundarySurvivesAMisresolution) {
  const SglangVerdict verdict = sglang_verdict("sglang-2025-12", publish("t2v-a14b", "wan2.2"), "");
  EXPECT_EQ(verdict.boundary_ratio, 0.875);
  EXPECT_EQ(verdict.guidance_scale, 3);
  EXPECT_EQ(verdict.guidance_scale_2, 3);
}

TEST_F(ModelCatalog, EightyOneFramesBecomeNinetyThreeOnFourSixAndEightRanks) {
  for (const int ranks : {4, 6, 8}) EXPECT_EQ(sglang_rounded_frames(81, ranks), 93);
  EXPECT_EQ(sglang_rounded_frames(81, 1), 81);
  EXPECT_EQ(sglang_rounded_frames(81, 3), 81);
}

TEST_F(ModelCatalog, TheReferenceModelIsA14BsLayoutAtAnotherSize) {
  const ModelIdentity model = identify_model(WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v", "");
  EXPECT_EQ(model.entry->id, "t2v-a14b");
  EXPECT_FALSE(model.same_size);
  EXPECT_NE(model.rule.find("another size"), std::string::npos);
  EXPECT_EQ(model.config.heads, 8);
}

TEST_F(ModelCatalog, TheCatalogOutranksThePublishedSchedulersShift) {
  RunSpec spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  const ModelIdentity model = resolve_spec(spec);
  EXPECT_EQ(model.file_flow_shift, 3.0);
  EXPECT_EQ(spec.flow_shift, 12.0);
  EXPECT_EQ(spec.origins.at("flow_shift").origin, "catalog");
  EXPECT_EQ(spec.origins.at("boundary_ratio").origin, "file");
  EXPECT_EQ(spec.guidance_scale, 4.0);
  EXPECT_EQ(spec.guidance_scale_2, 3.0);
  EXPECT_EQ(spec.steps, 40);
  EXPECT_EQ(spec.size, "1280x720");
  EXPECT_TRUE(configuration_drift(spec).empty());
}

TEST_F(ModelCatalog, AMisresolvedRunCarriesWhatWouldHaveBeenRight) {
  RunSpec spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  spec.resolver = "sglang-2025-12";
  spec.ranks = 4;
  set_field(spec, "steps", 27, "test");
  set_field(spec, "frames", 81, "test");
  resolve_spec(spec);
  EXPECT_EQ(spec.flow_shift, 3.0);
  EXPECT_EQ(spec.frames, 93);
  EXPECT_EQ(spec.sigma_schedule, "sglang");
  EXPECT_EQ(spec.origins.at("flow_shift").catalog, "12");
  EXPECT_EQ(spec.origins.at("frames").catalog, "81");
  const std::vector<std::string> drift = configuration_drift(spec);
  EXPECT_NE(std::find(drift.begin(), drift.end(),
                      "flow_shift is 3 (sglang-2025-12), the catalog says 12: the experts switch at step 10, not 19"),
            drift.end());
  EXPECT_NE(std::find(drift.begin(), drift.end(), "frames is 93 (sglang-2025-12), the catalog says 81"), drift.end());
}

TEST_F(ModelCatalog, WhatTheUserSetsIsUsedAndComparedWithTheCatalog) {
  RunSpec spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  set_field(spec, "flow_shift", 3, "test");
  set_field(spec, "steps", 27, "test");
  resolve_spec(spec);
  EXPECT_EQ(spec.flow_shift, 3.0);
  ASSERT_EQ(configuration_drift(spec).size(), 1u);
  EXPECT_EQ(configuration_drift(spec).front(),
            "flow_shift is 3 (user), the catalog says 12: the experts switch at step 10, not 19");
}

TEST_F(ModelCatalog, BadModelsAreNamed) {
  EXPECT_NE(line_of((root_ / "nowhere").string()).find("nowhere"), std::string::npos);
  const std::string model = publish("t2v-a14b", "wan");
  EXPECT_NE(line_of(model, "ti2v-5b").find("model_id is ti2v-5b, but its files are t2v-a14b's"), std::string::npos);
  EXPECT_NE(line_of(model, "t2v-a14").find("did you mean t2v-a14b?"), std::string::npos);

  fs::remove_all(fs::path(model) / "transformer_2");
  EXPECT_NE(line_of(model).find("names the expert transformer_2"), std::string::npos);
  write(fs::path(model) / "model_index.json", {{"boundary_ratio", 0.875}});
  EXPECT_NE(line_of(model).find("_class_name is missing"), std::string::npos);
  std::ofstream(fs::path(model) / "model_index.json") << "{ not json";
  EXPECT_NE(line_of(model).find("model_index.json: is not a JSON object"), std::string::npos);
  fs::remove(fs::path(model) / "model_index.json");
  EXPECT_NE(line_of(model).find("no known model layout"), std::string::npos);

  const std::string other = publish("wan2.1-t2v-14b", "other");
  write(fs::path(other) / "model_index.json", {{"_class_name", "FluxPipeline"}});
  const std::string line = line_of(other);
  EXPECT_NE(line.find("no known model layout (FluxPipeline"), std::string::npos);
  EXPECT_NE(line.find("transformer/config.json"), std::string::npos) << "what was looked at is listed: " << line;
}

}  // namespace
}  // namespace wansweep
