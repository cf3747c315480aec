#include "schema/probe/request.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

using nlohmann::json;

ProbeRequest some_request() {
  ProbeRequest request;
  request.seconds = 30;
  request.shapes.resize(2);
  request.shapes[1].ranks = 4;
  request.shapes[1].size = "64x64";
  return request;
}

void expect_refused(const std::string& part, const std::function<void(json&)>& change) {
  json value = to_json(some_request());
  change(value);
  expect_error(ExitCode::bad_input, part, [&] { probe_request_from_json(value, "spec.json"); });
}

TEST(ProbeRequest, IsReadAsItWasWritten) {
  const ProbeRequest read = probe_request_from_json(to_json(some_request()), "spec.json");
  EXPECT_EQ(to_json(read), to_json(some_request()));
  EXPECT_EQ(read.shapes[1].ranks, 4);
}

TEST(ProbeRequest, RefusesATimeThatIsNoneAndShapesThatAreNone) {
  expect_refused("spec.json: probe.seconds is 0", [](json& value) { value["seconds"] = 0; });
  expect_refused("spec.json: probe.seconds is 1e+99", [](json& value) { value["seconds"] = 1e99; });
  expect_refused("spec.json: probe.seconds is null", [](json& value) { value.erase("seconds"); });
  expect_refused("spec.json: probe.shapes is no list", [](json& value) { value["shapes"] = json::array(); });
  expect_refused("spec.json: probe.shapes holds what is no object", [](json& value) { value["shapes"][0] = 1; });
  expect_refused("spec.json: probe.shapes", [](json& value) { value["shapes"][0]["no_such_setting"] = 1; });
  expect_refused("spec.json: probe.layers is not known", [](json& value) { value["layers"] = 1; });
  expect_error(ExitCode::bad_input, "spec.json: probe is no object",
               [] { probe_request_from_json(json(3), "spec.json"); });
}

}  // namespace
}  // namespace wansweep
