#include "schema/probe/record.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace wansweep {
namespace {

using nlohmann::json;

ProbeRecord some_record() {
  ProbeRecord record;
  record.started_at = "2026-11-26T19:00:00Z";
  record.finished_at = "2026-11-26T19:01:30Z";
  record.wansweep_version = "0.1.0";
  record.git_revision = "21c781c";
  record.ranks = 4;
  record.seconds_allowed = 90;
  record.machine.backend = BackendKind::cuda;
  record.machine.communicator = CommunicatorKind::nccl;
  record.machine.device = "NVIDIA H200";
  record.machine.driver = "580.95";
  record.machine.gpus = 4;
  record.machine.node_ranks = {4};
  record.machine.power_limit_mw = 700'000;
  ProbeShape shape;
  shape.heads = 40;
  shape.head_dim = 128;
  shape.precision = Precision::bf16;
  record.shapes = {shape};
  record.samples = {{.what = ProbeWhat::block_forward, .shape = 0, .ranks = 4, .seconds = {0.01, 0.011}, .fastest_seconds = {0.009, 0.01}},
                    {.what = ProbeWhat::copy_in,
                     .bytes = 1 << 20,
                     .ranks = 1,
                     .beside = Beside::exchange,
                     .memory = HostMemory::pageable,
                     .seconds = {0.25},
                     .fastest_seconds = {0.25}}};
  record.not_measured = {{ProbeWhat::fill, "the time was over"}};
  return record;
}

std::string refusal(const std::function<void(json&)>& change) {
  json value = json::parse(probe_record_text(some_record()));
  change(value);
  try {
    parse_probe_record(value.dump(), "probe.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "taken";
}

TEST(ProbeRecord, IsReadAsItWasWritten) {
  const std::string text = probe_record_text(some_record());
  const ProbeRecord read = parse_probe_record(text, "probe.json");
  EXPECT_EQ(probe_record_text(read), text);
  EXPECT_EQ(read.shapes, some_record().shapes);
  EXPECT_EQ(read.samples[1].memory, HostMemory::pageable);
  EXPECT_EQ(read.samples[0].memory, std::nullopt);
  EXPECT_EQ(read.samples[1].beside, Beside::exchange);
}

TEST(ProbeRecord, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal([](json& value) { value["version"] = 3; }), "probe.json: version is 3; this wansweep reads 2");
  EXPECT_EQ(refusal([](json& value) { value["extra"] = 1; }),
            "probe.json: extra is not known; a newer wansweep may have written it");
  EXPECT_EQ(refusal([](json& value) { value["machine"]["numa"] = 1; }),
            "probe.json: machine.numa is not known; a newer wansweep may have written it");
  EXPECT_EQ(refusal([](json& value) { value["machine"].erase("driver"); }), "probe.json: machine.driver is missing");
  EXPECT_NE(refusal([](json& value) {
              value["samples"][0]["what"] = "magic";
            }).find("probe.json: samples[0].what is \"magic\"; one of block_forward, "),
            std::string::npos);
}

TEST(ProbeRecord, RefusesTimesThatNobodyCanHaveMeasured) {
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["seconds"] = json::array(); }),
            "probe.json: samples[0].seconds is empty; a sample has at least one");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["fastest_seconds"] = {0.009}; }),
            "probe.json: samples[0].fastest_seconds is a list of 1; a list of 2 is needed, as seconds is");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["fastest_seconds"][1] = 0; }),
            "probe.json: samples[0].fastest_seconds holds 0; each must be above 0");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["seconds"][1] = 0; }),
            "probe.json: samples[0].seconds holds 0; each must be above 0");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["seconds"][1] = -1; }),
            "probe.json: samples[0].seconds[1] is -1; a number from 0 is needed");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["shape"] = 1; }),
            "probe.json: samples[0].shape is 1; there are 1 shapes");
  EXPECT_EQ(refusal([](json& value) { value["samples"][0]["ranks"] = 5; }),
            "probe.json: samples[0].ranks is 5; the probe had 4");
}

TEST(ProbeRecord, RefusesMembersOfAnotherKind) {
  EXPECT_EQ(refusal([](json& value) { value["ranks"] = "4"; }),
            "probe.json: ranks is \"4\"; a whole number from 0 to 2147483647 is needed");
  EXPECT_EQ(refusal([](json& value) { value["ranks"] = 3e9; }),
            "probe.json: ranks is 3000000000.0; a whole number from 0 to 2147483647 is needed");
  EXPECT_EQ(refusal([](json& value) {
              value["samples"][0]["sizes"] = {1, 2};
            }),
            "probe.json: samples[0].sizes is [1,2]; a list of 3 is needed");
  EXPECT_EQ(refusal([](json& value) { value["shapes"] = {3}; }), "probe.json: shapes[0] is 3; an object is needed");
}

}  // namespace
}  // namespace wansweep
