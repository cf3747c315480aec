#include "schema/model_catalog.h"
#include "schema/setting_fields.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A directory with those files of a published repository that decide which model it is; without weights.
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

// What each SGLang makes of a path, by the form that the path has. Written from the registry's rules:
//   December 2025: last part equal to a registered name; else the detector of the pipeline's class
//   March 2026:    last part contains a registered name; a hub cache folder in the path; else the detector
// A trailing slash leaves no last part. Both take the names of links as they are.
struct Expected {
  const char* id;
  const char* published_name;
  const char* own;       // the model's own configuration
  const char* fallback;  // that of its class's detector
};
const Expected expectations[] = {
    {"wan2.1-t2v-1.3b", "Wan2.1-T2V-1.3B-Diffusers", "WanT2V480PConfig", "WanT2V480PConfig"},
    {"wan2.1-t2v-14b", "Wan2.1-T2V-14B-Diffusers", "WanT2V720PConfig", "WanT2V480PConfig"},
    {"t2v-a14b", "Wan2.2-T2V-A14B-Diffusers", "Wan2_2_T2V_A14B_Config", "WanT2V480PConfig"},
    {"i2v-a14b", "Wan2.2-I2V-A14B-Diffusers", "Wan2_2_I2V_A14B_Config", "WanI2V480PConfig"},
    {"ti2v-5b", "Wan2.2-TI2V-5B-Diffusers", "Wan2_2_TI2V_5B_Config", "WanT2V480PConfig"},
};

enum class Verdict { own, fallback };
struct PathForm {
  const char* form;  // NAME stands for the published name
  bool link;         // to the published directory; else a directory of its own
  Verdict in_2025_12;
  const char* rule_2025_12;
  Verdict in_2026_03;
  const char* rule_2026_03;
};
constexpr const char* equal_name = "the last part of the path is a registered name";
constexpr const char* contained_name = "a registered name is in the last part";
constexpr const char* cache_folder = "a hub cache folder is in the path";
constexpr const char* detector = "detector: ";
const PathForm path_forms[] = {
    {"NAME", false, Verdict::own, equal_name, Verdict::own, contained_name},
    {"lower/NAME", true, Verdict::own, equal_name, Verdict::own, contained_name},
    {"wan2.2", false, Verdict::fallback, detector, Verdict::fallback, detector},
    {"link-to-it", true, Verdict::fallback, detector, Verdict::fallback, detector},
    {"slash/NAME/", false, Verdict::fallback, detector, Verdict::fallback, detector},
    {"my-NAME-bf16", false, Verdict::fallback, detector, Verdict::own, contained_name},
    {"hub/models--Wan-AI--NAME/snapshots/0123abcd", false, Verdict::fallback, detector, Verdict::own, cache_folder},
    {"hub2/models--Wan-AI--NAME/snapshots/0123abcd/", false, Verdict::fallback, detector, Verdict::own, cache_folder},
};

TEST_F(ModelCatalog, TheFilesDecideAndSglangGoesByTheName) {
  for (const Expected& expected : expectations) {
    const std::string root = std::string(expected.id) + "/";
    const std::string published = publish(expected.id, root + "published/" + expected.published_name);
    for (const PathForm& form : path_forms) {
      std::string path = root + form.form;
      const size_t name = path.find("NAME");
      if (name != path.npos) path.replace(name, 4, expected.published_name);
      if (form.link) {
        path = (root_ / path).string();
        fs::create_directories(fs::path(path).parent_path());
        fs::create_directory_symlink(published, path);
      } else {
        path = publish(expected.id, path);
      }
      const ModelIdentity model = identify_model(path, "");
      EXPECT_EQ(model.entry->id, expected.id) << path;
      EXPECT_TRUE(model.same_size) << path;
      EXPECT_NE(model.rule.find("model_index.json says"), std::string::npos) << path;

      const auto config = [&](Verdict verdict) { return verdict == Verdict::own ? expected.own : expected.fallback; };
      const SglangVerdict older = sglang_verdict(ResolverKind::sglang_2025_12, path, "");
      EXPECT_EQ(older.config, config(form.in_2025_12)) << path;
      EXPECT_TRUE(older.rule.starts_with(form.rule_2025_12)) << path << ": " << older.rule;
      EXPECT_TRUE(older.shards_frames);
      const SglangVerdict newer = sglang_verdict(ResolverKind::sglang_2026_03, path, "");
      EXPECT_EQ(newer.config, config(form.in_2026_03)) << path;
      EXPECT_TRUE(newer.rule.starts_with(form.rule_2026_03)) << path << ": " << newer.rule;
      EXPECT_FALSE(newer.shards_frames);
      // Only the newer SGLang accepts a declared id.
      EXPECT_EQ(sglang_verdict(ResolverKind::sglang_2025_12, path, expected.id).config, older.config) << path;
      EXPECT_EQ(sglang_verdict(ResolverKind::sglang_2026_03, path, expected.id).config, expected.own) << path;
      EXPECT_EQ(sglang_verdict(ResolverKind::sglang_2026_03, path, expected.id).rule, "--model-id") << path;
    }
  }
}

TEST_F(ModelCatalog, SglangsConfigurationsBringTheirDefaults) {
  const struct {
    const char* hub_name;
    const char* config;
    double flow_shift, guidance_scale, guidance_scale_2;
    int steps, width, height, frames;
  } table[] = {{"Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "WanT2V480PConfig", 3, 3, 3, 50, 832, 480, 81},
               {"Wan-AI/Wan2.1-T2V-14B-Diffusers", "WanT2V720PConfig", 5, 5, 5, 50, 1280, 720, 81},
               {"Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "WanI2V480PConfig", 3, 5, 5, 50, 832, 480, 81},
               {"Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", "WanI2V720PConfig", 5, 5, 5, 50, 1280, 720, 81},
               {"Wan-AI/Wan2.2-TI2V-5B-Diffusers", "Wan2_2_TI2V_5B_Config", 5, 5, 5, 50, 1280, 704, 121},
               {"Wan-AI/Wan2.2-T2V-A14B-Diffusers", "Wan2_2_T2V_A14B_Config", 12, 4, 3, 40, 1280, 720, 81},
               {"Wan-AI/Wan2.2-I2V-A14B-Diffusers", "Wan2_2_I2V_A14B_Config", 5, 3.5, 3.5, 40, 1280, 720, 81}};
  for (const auto& row : table) {
    for (const ResolverKind resolver : {ResolverKind::sglang_2025_12, ResolverKind::sglang_2026_03}) {
      const SglangVerdict verdict = sglang_verdict(resolver, row.hub_name, "");
      EXPECT_EQ(verdict.config, row.config) << row.hub_name;
      EXPECT_EQ(verdict.rule, "exact hub name") << row.hub_name;
      EXPECT_EQ(verdict.flow_shift, row.flow_shift) << row.hub_name;
      EXPECT_EQ(verdict.guidance_scale, row.guidance_scale) << row.hub_name;
      EXPECT_EQ(verdict.guidance_scale_2, row.guidance_scale_2) << row.hub_name;
      EXPECT_EQ(verdict.steps, row.steps) << row.hub_name;
      EXPECT_EQ(verdict.width, row.width) << row.hub_name;
      EXPECT_EQ(verdict.height, row.height) << row.hub_name;
      EXPECT_EQ(verdict.frames, row.frames) << row.hub_name;
    }
  }
}

TEST_F(ModelCatalog, TheOfficialSettingsAreThePublishedOnes) {
  const struct {
    const char* id;
    double flow_shift;
    std::optional<double> boundary;
    double high;
    std::optional<double> low;
    int steps, width, height, frames, fps;
  } table[] = {{"wan2.1-t2v-1.3b", 3, {}, 3, {}, 50, 832, 480, 81, 16},
               {"wan2.1-t2v-14b", 5, {}, 5, {}, 50, 1280, 720, 81, 16},
               {"t2v-a14b", 12, 0.875, 4, 3, 40, 1280, 720, 81, 16},
               {"i2v-a14b", 5, 0.9, 3.5, 3.5, 40, 1280, 720, 81, 16},
               {"ti2v-5b", 5, {}, 5, {}, 50, 1280, 704, 121, 24}};
  ASSERT_EQ(catalog().size(), std::size(table));
  for (const auto& row : table) {
    const CatalogEntry& entry = catalog_entry(row.id);
    EXPECT_EQ(entry.flow_shift, row.flow_shift) << row.id;
    EXPECT_EQ(entry.boundary_ratio, row.boundary) << row.id;
    EXPECT_EQ(entry.guidance_scale, row.high) << row.id;
    EXPECT_EQ(entry.guidance_scale_2, row.low) << row.id;
    EXPECT_EQ(entry.steps, row.steps) << row.id;
    EXPECT_EQ(entry.width, row.width) << row.id;
    EXPECT_EQ(entry.height, row.height) << row.id;
    EXPECT_EQ(entry.frames, row.frames) << row.id;
    EXPECT_EQ(entry.fps, row.fps) << row.id;
    EXPECT_FALSE(entry.source.empty()) << row.id;
  }
}

TEST_F(ModelCatalog, TheBoundarySurvivesAMisresolution) {
  const SglangVerdict verdict = sglang_verdict(ResolverKind::sglang_2025_12, publish("t2v-a14b", "wan2.2"), "");
  EXPECT_EQ(verdict.boundary_ratio, 0.875);
  EXPECT_EQ(verdict.guidance_scale, 3);
  EXPECT_EQ(verdict.guidance_scale_2, 3);
}

TEST_F(ModelCatalog, EachReleaseOfSglangGoesByItsOwnRules) {
  const std::string named = publish("t2v-a14b", "Wan2.2-T2V-A14B-Diffusers");
  const std::string longer = publish("t2v-a14b", "my-wan2.2-t2v-a14b-diffusers-copy");
  const std::string other = publish("t2v-a14b", "wan2.2");
  const std::string own = "Wan2_2_T2V_A14B_Config", wrong = "WanT2V480PConfig";
  const struct {
    const char* version;
    std::string path;
    std::string model_id;
    std::string config;
    std::string rule;
  } table[] = {
      {"0.5.6", named, "", wrong, "detector: "},  // its hub name, with the owner, is not in the path
      {"0.5.6.post2", "/cache/models--wan-ai--wan2.2-t2v-a14b-diffusers/x", "", own, "a registered hub name is in the"},
      {"0.5.7", named, "", own, "the last part of the path is a registered name"},
      {"0.5.8.post1", named + "/", "", wrong, "detector: "},
      {"0.5.9", named + "/", "", own, "the last part of the path is a registered name"},
      {"0.5.9", longer, "", wrong, "detector: "},
      {"0.5.9", other, "Wan2.2-T2V-A14B-Diffusers", wrong, "detector: "},  // this release has no --model-id
      {"0.5.10", named + "/", "", own, "a registered name is in the last part of the path"},
      {"0.5.23", longer + "//", "", own, "a registered name is in the last part of the path"},
      {"0.5.23", other, "", wrong, "detector: "},
      {"0.5.23", other, "wan2.2-t2v-a14b-diffusers", own, "--model-id"},
      {"0.5.23", other, "Wan2.2-T2V", wrong,
       "--model-id Wan2.2-T2V is unknown, which SGLang only warns of; detector: "},
  };
  for (const auto& row : table) {
    const SglangVerdict verdict = sglang_release_verdict(row.version, row.path, row.model_id);
    EXPECT_EQ(verdict.config, row.config) << row.version << " " << row.path;
    EXPECT_TRUE(verdict.rule.starts_with(row.rule)) << row.version << " " << row.path << ": " << verdict.rule;
  }
  EXPECT_TRUE(sglang_release_verdict("0.5.9", other, "").shards_frames);
  EXPECT_FALSE(sglang_release_verdict("0.5.10", other, "").shards_frames);
  expect_error(ExitCode::bad_input, "SGLang 0.5.5 is unknown; versions 0.5.6 to 0.5.23 are known",
               [&] { sglang_release_verdict("0.5.5", other, ""); });
}

TEST_F(ModelCatalog, TheResolverOfSeptember2026StripsATrailingSlash) {
  const std::string path = publish("t2v-a14b", "Wan2.2-T2V-A14B-Diffusers") + "/";
  EXPECT_EQ(sglang_verdict(ResolverKind::sglang_2026_03, path, "").config, "WanT2V480PConfig");
  EXPECT_EQ(sglang_verdict(ResolverKind::sglang_2026_09, path, "").config, "Wan2_2_T2V_A14B_Config");
  RunSettings settings;
  settings.model = publish("t2v-a14b", "wan2.2");
  settings.resolver = ResolverKind::sglang_2026_09;
  resolve_settings(settings);
  EXPECT_EQ(settings.flow_shift, 3);  // SGLang still takes a path of another name for Wan2.1
  EXPECT_EQ(settings.origins.at("flow_shift").origin, "sglang-2026-09");
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
  RunSettings spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  const ModelIdentity model = resolve_settings(spec);
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

TEST_F(ModelCatalog, AMisresolvedRunCarriesTheRightValuesToo) {
  RunSettings spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  spec.resolver = ResolverKind::sglang_2025_12;
  spec.ranks = 4;
  set_field(spec, "steps", 27, "test");
  set_field(spec, "frames", 81, "test");
  resolve_settings(spec);
  EXPECT_EQ(spec.flow_shift, 3.0);
  EXPECT_EQ(spec.frames, 93);
  EXPECT_EQ(spec.sigma_schedule, SigmaSchedule::sglang);
  EXPECT_EQ(spec.origins.at("flow_shift").catalog, "12");
  EXPECT_EQ(spec.origins.at("frames").catalog, "81");
  const std::vector<std::string> drift = configuration_drift(spec);
  EXPECT_NE(
      std::find(drift.begin(), drift.end(),
                "flow_shift is 3 (sglang-2025-12), but the catalog says 12: the experts switch at step 10, not 19"),
      drift.end());
  EXPECT_NE(std::find(drift.begin(), drift.end(), "frames is 93 (sglang-2025-12), but the catalog says 81"),
            drift.end());
}

TEST_F(ModelCatalog, WhatTheUserSetsIsUsedAndComparedWithTheCatalog) {
  RunSettings spec;
  spec.model = publish("t2v-a14b", "wan2.2");
  set_field(spec, "flow_shift", 3, "test");
  set_field(spec, "steps", 27, "test");
  resolve_settings(spec);
  EXPECT_EQ(spec.flow_shift, 3.0);
  ASSERT_EQ(configuration_drift(spec).size(), 1u);
  EXPECT_EQ(configuration_drift(spec).front(),
            "flow_shift is 3 (user), but the catalog says 12: the experts switch at step 10, not 19");
}

TEST_F(ModelCatalog, BadModelsAreNamed) {
  EXPECT_NE(line_of((root_ / "nowhere").string()).find("nowhere"), std::string::npos);
  const std::string model = publish("t2v-a14b", "wan");
  EXPECT_NE(line_of(model, "ti2v-5b").find("model_id is ti2v-5b, but the files are those of t2v-a14b"),
            std::string::npos);
  EXPECT_NE(line_of(model, "t2v-a14").find("did you mean t2v-a14b?"), std::string::npos);

  fs::remove_all(fs::path(model) / "transformer_2");
  EXPECT_NE(line_of(model).find("names the expert transformer_2"), std::string::npos);
  write(fs::path(model) / "model_index.json", {{"boundary_ratio", 0.875}});
  EXPECT_NE(line_of(model).find("_class_name is missing"), std::string::npos);
  std::ofstream(fs::path(model) / "model_index.json") << "{ not json";
  EXPECT_NE(line_of(model).find("model_index.json: is not JSON"), std::string::npos);
  fs::remove(fs::path(model) / "model_index.json");
  EXPECT_NE(line_of(model).find("unknown model layout"), std::string::npos);

  const std::string other = publish("wan2.1-t2v-14b", "other");
  write(fs::path(other) / "model_index.json", {{"_class_name", "FluxPipeline"}});
  const std::string line = line_of(other);
  EXPECT_NE(line.find("unknown model layout (FluxPipeline"), std::string::npos);
  EXPECT_NE(line.find("transformer/config.json"), std::string::npos) << "what was looked at is listed: " << line;
}

}  // namespace
}  // namespace wansweep
