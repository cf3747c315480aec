#include "slurm/profile.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

const std::string least = "gpus_per_node = 4\ncores_per_node = 32\nmemory_per_node = 1000\ntime_limit = \"1:00:00\"\n";

void expect_refused(const std::string& text, const std::vector<std::string>& words) {
  try {
    parse_profile(text, "x.toml");
    ADD_FAILURE() << "not refused: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    for (const std::string& word : words) EXPECT_NE(line.find(word), std::string::npos) << word << " in: " << line;
  }
}

TEST(Profile, EveryShippedProfileIsRead) {
  for (const char* name : {"aces", "local-test"}) {
    const ClusterProfile profile = read_profile(std::string(WANSWEEP_SOURCE_DIR) + "/slurm/" + name + ".toml");
    EXPECT_EQ(profile.name, name);
    EXPECT_EQ(profile.gres, "gpu:h100");
    const ClusterProfile copy = profile_from_json(profile_to_json(profile), "x");
    EXPECT_EQ(profile_to_json(copy), profile_to_json(profile));
  }
}

TEST(Profile, SaysHowOtherEnginesAreEntered) {
  const ClusterProfile profile = parse_profile(
      least +
          "engine_setup = [\"source /v/bin/activate\"]\nengine_container = \"apptainer exec --nv x.sif\"\n"
          "sglang = \"/v/bin/sglang\"\nengine_python = \"/v/bin/python\"\n",
      "x.toml");
  EXPECT_EQ(profile.engine_setup, std::vector<std::string>{"source /v/bin/activate"});
  EXPECT_EQ(profile.engine_container, "apptainer exec --nv x.sif");
  EXPECT_EQ(profile.sglang, "/v/bin/sglang");
  EXPECT_EQ(profile.engine_python, "/v/bin/python");
  expect_refused(least + "engine_setup = \"x\"\n", {"x.toml:5", "engine_setup", "list"});
}

TEST(Profile, AnUnknownKeyIsAnsweredWithTheNearest) {
  expect_refused(least + "partitoin = \"gpu\"\n", {"x.toml:5", "partitoin", "partition"});
}

TEST(Profile, AnUnknownClusterIsAnsweredWithThoseThereAre) {
  try {
    read_profile("atlantis");
    ADD_FAILURE();
  } catch (const Error& error) {
    const std::string line = error.what();
    for (const char* word : {"atlantis", "aces", "local-test"}) EXPECT_NE(line.find(word), std::string::npos) << line;
  }
}

TEST(Profile, WrongValuesAreNamed) {
  expect_refused("time_limit = \"1:00:00\"\n", {"x.toml", "gpus_per_node"});
  expect_refused(least + "launcher = \"ssh\"\n", {"launcher", "ssh", "srun", "mpirun"});
  expect_refused(least + "max_nodes = -1\n", {"x.toml:5", "max_nodes"});
  expect_refused(least + "shortest_time = \"soon\"\n", {"shortest_time", "soon"});
  expect_refused(least + "[environment]\n\"A B\" = \"1\"\n", {"A B"});
  expect_refused("partition = \n", {"x.toml:1"});
}

TEST(Profile, AnImageAndModulesDoNotGoTogether) {
  EXPECT_EQ(parse_profile(least + "container = \"w.sif\"\n", "x.toml").container, "w.sif");
  expect_refused(least + "container = \"w.sif\"\nmodules = [\"GCC\"]\n",
                 {"x.toml", "container and modules are both set"});
}

TEST(Profile, NumbersBeyondAnyMachineAreRefused) {
  for (const char* line : {"teraflops_per_rank = nan", "teraflops_per_rank = inf", "teraflops_per_rank = 0.0",
                           "startup_seconds = 9223372036854775807", "command_timeout = 1000000001",
                           "signal_before_end = 70000", "shortest_time = \"0:00:00\"", "lost_seconds = -5"}) {
    const std::string text = line;
    expect_refused(least + text + "\n", {text.substr(0, text.find(' '))});
  }
}

TEST(Profile, AClusterOfSeveralIsNamedByTheProfileOrElseByTheEnvironment) {
  const TemporaryDirectory directory;
  const std::string plain = write_text(directory / "plain.toml", least);
  const std::string named = write_text(directory / "named.toml", least + "cluster = \"small\"\n");
  EXPECT_EQ(read_profile(plain).cluster, "");
  setenv("SLURM_CLUSTERS", "big", 1);
  EXPECT_EQ(read_profile(plain).cluster, "big");
  EXPECT_EQ(read_profile(named).cluster, "small");
  setenv("SLURM_CLUSTERS", "big,small", 1);
  expect_error(ExitCode::bad_input, "SLURM_CLUSTERS is big,small", [&] { read_profile(plain); });
  EXPECT_EQ(read_profile(named).cluster, "small");
  unsetenv("SLURM_CLUSTERS");
  expect_refused(least + "cluster = \"a,b\"\n", {"cluster", "a,b"});
}

TEST(Profile, AProfileOfAnEarlierWansweepIsRead) {
  nlohmann::json json = nlohmann::json::parse(profile_to_json(parse_profile(least, "x.toml")));
  json.erase("cluster");
  EXPECT_EQ(profile_from_json(json.dump(), "x").cluster, "");
  json["launcher"] = "ssh";
  expect_error(ExitCode::bad_input, "launcher is \"ssh\"", [&] { profile_from_json(json.dump(), "x"); });
}

TEST(Profile, WhatAnSbatchLineCannotSayIsRefused) {
  for (const char* value : {"a b", "a\\nb", "$(touch x)", "a'b", "a;b", "a\\\"b", "#"}) {
    expect_refused(least + "account = \"" + value + "\"\n", {"account"});
    expect_refused(least + "partition = \"" + value + "\"\n", {"partition"});
  }
}

TEST(Profile, DurationsAreReadAndWrittenAsSlurmDoes) {
  EXPECT_EQ(parse_duration("90"), 5400);
  EXPECT_EQ(parse_duration("1:30"), 90);
  EXPECT_EQ(parse_duration("1:30:00"), 5400);
  EXPECT_EQ(parse_duration("2-00:00:00"), 172800);
  EXPECT_EQ(parse_duration("1-12"), 129600);
  EXPECT_EQ(parse_duration("UNLIMITED"), 0);
  for (const char* text : {"", "x", "1:x", "-1", "1:2:3:4", "1-"}) EXPECT_EQ(parse_duration(text), -1) << text;
  EXPECT_EQ(format_duration(129661), "1-12:01:01");
}

}  // namespace
}  // namespace wansweep
