#include "slurm/profile.h"

#include <gtest/gtest.h>

#include "base/error.h"

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

TEST(Profile, ThoseThatShipAreRead) {
  for (const char* name : {"aces", "local-test"}) {
    const ClusterProfile profile = read_profile(std::string(WANSWEEP_SOURCE_DIR) + "/slurm/" + name + ".toml");
    EXPECT_EQ(profile.name, name);
    EXPECT_EQ(profile.gres, "gpu:h100");
    const ClusterProfile copy = profile_from_json(profile_to_json(profile), "x");
    EXPECT_EQ(profile_to_json(copy), profile_to_json(profile));
  }
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

TEST(Profile, WhatAnSbatchLineCannotSayIsRefused) {
  for (const char* value : {"a b", "a\\nb", "$(touch x)", "a'b", "a;b", "a\\\"b", "#"}) {
    expect_refused(least + "account = \"" + value + "\"\n", {"account"});
    expect_refused(least + "partition = \"" + value + "\"\n", {"partition"});
  }
}

TEST(Profile, DurationsAreSlurms) {
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
