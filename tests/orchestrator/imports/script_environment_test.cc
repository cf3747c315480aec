#include "orchestrator/imports/script_environment.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

std::string told(const std::string& version, const std::string& attempt) {
  std::vector<EngineTrace> files(1);
  RunSettings settings;
  settings.engine = EngineKind::sglang;
  settings.engine_version = version;
  tell_environment(files, settings, attempt);
  return files.front().environment.at("synchronised");
}

TEST(ScriptEnvironment, TheFiguresSayWhatTheScriptReallySet) {
  const TemporaryDirectory directory;
  const std::string attempt = directory / "a";
  const auto with = [&](const std::string& value) {
    write_text(directory / "engine.env", "SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=" + value + "\n");
    return told("0.5.9", directory / ".");
  };
  EXPECT_EQ(with("1"), "synchronised");
  EXPECT_EQ(with("0"), "unsynchronised");
  EXPECT_EQ(with("true"), "unsynchronised");  // SGLang takes only 1
  EXPECT_EQ(told("0.5.7", ""), "unsynchronised");
  EXPECT_TRUE(told("0.5.9", "").starts_with("unknown: ")) << told("0.5.9", "");
  EXPECT_TRUE(told("", attempt).starts_with("unknown: "));
}

TEST(ScriptEnvironment, TheReleaseIsThatWhichSglangSaysItIs) {
  const TemporaryDirectory directory;
  write_text(directory / "engine.env", "SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=1\nsglang_release=0.5.9+cu130\n");
  std::vector<EngineTrace> files(1);
  tell_environment(files, {}, directory / ".");
  EXPECT_EQ(files.front().environment.at("sglang_release"), "0.5.9+cu130");
  EXPECT_EQ(files.front().environment.at("synchronised"), "synchronised");
}

}  // namespace
}  // namespace wansweep
