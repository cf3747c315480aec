#include "schema/run_settings.h"
#include "schema/setting_fields.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace wansweep {
namespace {

using nlohmann::json;

template <typename Make>
std::string line_of(Make make) {
  try {
    make();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

RunSettings valid_spec() {
  RunSettings spec;
  spec.model = "/models/wan";
  spec.size = "832x480";
  spec.frames = 81;
  spec.steps = 27;
  spec.flow_shift = 12;
  spec.guidance_scale = 4;
  return spec;
}

TEST(RunSettings, ARoundTripThroughJsonKeepsEverySettingAndOrigin) {
  RunSettings spec = valid_spec();
  spec.cfg_parallel = true;
  spec.ulysses = 2;
  spec.prefetch = 0.25;
  spec.offload = OffloadMode::layerwise;
  spec.origins["flow_shift"] = {"sglang-2025-12", "12"};
  const RunSettings back = settings_from_json(json::parse(to_json(spec).dump()), "spec.json");
  EXPECT_EQ(to_json(back), to_json(spec));
  EXPECT_EQ(back.origins.at("flow_shift").catalog, "12");
}

TEST(RunSettings, WhatASpecSetsIsTheUsers) {
  EXPECT_EQ(settings_from_json(json{{"steps", 27}}, "spec.json").origins.at("steps").origin, "user");
}

TEST(RunSettings, AnUnknownSettingIsRefusedWithTheNearestKnownOne) {
  RunSettings spec;
  EXPECT_EQ(line_of([&] { set_field(spec, "flow_shfit", 3, "jobs/x.toml:4: base"); }),
            "jobs/x.toml:4: base: unknown setting flow_shfit; did you mean flow_shift?");
  EXPECT_EQ(line_of([&] { set_field(spec, "colour", 3, "jobs/x.toml:4: base"); }),
            "jobs/x.toml:4: base: unknown setting colour");
}

TEST(RunSettings, AValueOfAnotherTypeOrOutsideTheChoicesIsRefused) {
  RunSettings spec;
  EXPECT_EQ(line_of([&] { set_field(spec, "steps", "27", "f"); }), "f: steps is \"27\"; a whole number is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "steps", 2.5, "f"); }), "f: steps is 2.5; a whole number is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "flow_shift", "twelve", "f"); }),
            "f: flow_shift is \"twelve\"; a number is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "offload", "swop", "f"); }),
            "f: offload is swop; possible values: resident, swap, layerwise, snapshot, planned");
  EXPECT_EQ(line_of([&] { set_field(spec, "keep_steps", 1, "f"); }), "f: keep_steps is 1; true or false is needed");
  EXPECT_THROW(set_field(spec, "flow_shift", std::numeric_limits<double>::infinity(), "f"), Error);
}

TEST(RunSettings, WholeNumbersMayBeWrittenEitherWay) {
  RunSettings spec;
  set_field(spec, "flow_shift", 12, "f");
  set_field(spec, "steps", 27.0, "f");
  EXPECT_EQ(spec.flow_shift, 12.0);
  EXPECT_EQ(spec.steps, 27);
}

TEST(RunSettings, ValidationNamesTheSettingItsValueAndWhatIsRight) {
  auto line = [](auto change) {
    RunSettings spec = valid_spec();
    change(spec);
    return line_of([&] { validate(spec); });
  };
  EXPECT_EQ(line([](RunSettings& s) { s.steps = 0; }), "steps is 0; a value between 1 and 10000 is needed");
  EXPECT_EQ(line([](RunSettings& s) { s.flow_shift = -1; }),
            "flow_shift is -1; a value above 0 and at most 10000 is needed");
  EXPECT_EQ(line([](RunSettings& s) { s.size = "832x481"; }),
            "size is 832x481; its height 481 must be a multiple of 16");
  EXPECT_EQ(line([](RunSettings& s) { s.size = "big"; }),
            "size is big; give WIDTHxHEIGHT in pixels, for example 832x480");
  EXPECT_EQ(line([](RunSettings& s) { s.frames = 80; }),
            "frames is 80; a number of the form 4n + 1 is needed, for example 81");
  EXPECT_EQ(line([](RunSettings& s) { s.boundary_ratio = 875; }),
            "boundary_ratio is 875; a value between 0 and 1 is needed");
  EXPECT_EQ(line([](RunSettings& s) { s.weights = "random"; }),
            "weights is random; give files or random:SEED, where SEED is a whole number below 2^64");
  EXPECT_EQ(line([](RunSettings& s) { s.ranks = 0; }), "ranks is 0; a value between 1 and 4096 is needed");
  EXPECT_EQ(line([](RunSettings& s) {
              s.cfg_parallel = true;
              s.guidance_scale = 1;
            }),
            "cfg_parallel needs guidance, and guidance_scale 1 turns it off; a guidance_scale above 1 is needed");
  EXPECT_EQ(line([](RunSettings& s) { s.link_bandwidth = 1e-20; }),
            "link_bandwidth is 1e-20; 0 (memory speed) or at least 1e-06 GB/s is needed");
  EXPECT_NE(line([](RunSettings& s) { s.size.reset(); }).find("inputs"), std::string::npos);
  validate(valid_spec());
}

TEST(RunSettings, EveryNumberHasBoundsAndNoneIsCutToItsType) {
  RunSettings spec;
  for (const Field& field : fields()) {
    const bool number = !field.is_text() && !field.is_switch() && field.choices().empty();
    EXPECT_EQ(number, field.bounds.has_value()) << field.name;
    if (!number) continue;
    EXPECT_THROW(set_field(spec, field.name, 1e300, "f"), Error) << field.name;
  }
  EXPECT_EQ(line_of([&] { set_field(spec, "steps", 4294967297, "f"); }),
            "f: steps is 4294967297; a value between 1 and 10000 is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "frames", 9223372036854775805, "f"); }),
            "f: frames is 9223372036854775805; a value between 1 and 10001 is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "ranks", uint64_t{18446744073709551615u}, "f"); }),
            "f: ranks is 9223372036854775807; a value between 1 and 4096 is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "device_memory", 1e300, "f"); }),
            "f: device_memory is 1e+300; a value between 0 and 1048576 is needed");
}

TEST(RunSettings, ADeviceBudgetIsGibOrAuto) {
  RunSettings spec;
  const Field& field = *find_field("device_budget");
  EXPECT_EQ(get_field(spec, field), "auto");
  set_field(spec, "device_budget", 5.5, "f");
  EXPECT_EQ(spec.device_budget.gib, 5.5);
  EXPECT_EQ(get_field(spec, field), 5.5);
  EXPECT_EQ(settings_from_json(to_json(spec), "f").device_budget.gib, 5.5);
  set_field(spec, "device_budget", "auto", "f");
  EXPECT_EQ(spec.device_budget.gib, std::nullopt);
  EXPECT_EQ(line_of([&] { set_field(spec, "device_budget", "much", "f"); }),
            "f: device_budget is \"much\"; GiB or auto is needed");
  EXPECT_EQ(line_of([&] { set_field(spec, "device_budget", -1, "f"); }),
            "f: device_budget is -1; a value between 0 and 1048576 is needed");
}

TEST(RunSettings, ANumberThatIsNotFiniteIsNamedAsItIs) {
  RunSettings spec;
  EXPECT_EQ(line_of([&] { set_field(spec, "flow_shift", std::numeric_limits<double>::infinity(), "f"); }),
            "f: flow_shift is inf; a number is needed");
}

TEST(RunSettings, ASeedOfRandomWeightsBeyond64BitsIsRefused) {
  EXPECT_EQ(random_weights_seed("files"), std::nullopt);
  EXPECT_EQ(random_weights_seed("random:18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"random:18446744073709551616", "random:", "random:-1", "random:1 ", "random: 1", "Files"}) {
    EXPECT_THROW(random_weights_seed(text), Error) << text;
  }
}

TEST(RunSettings, RunsThatOnlyMoveWeightsInOtherWaysDoTheSameWork) {
  const RunSettings a = valid_spec();
  RunSettings b = a;
  b.offload = OffloadMode::layerwise;
  b.prefetch = 3;
  b.host_memory = HostMemory::pageable;
  b.device_memory = 12;
  EXPECT_NE(settings_hash(a), settings_hash(b));
  EXPECT_EQ(work_hash(a), work_hash(b));
  b.flow_shift = 3;
  EXPECT_NE(work_hash(a), work_hash(b));
}

TEST(RunSettings, EqualConfigurationsHaveEqualHashesWhateverTheirOrigins) {
  RunSettings a = valid_spec(), b = valid_spec();
  b.origins["flow_shift"] = {"catalog", "12"};
  EXPECT_EQ(settings_hash(a), settings_hash(b));
  b.flow_shift = 3;
  EXPECT_NE(settings_hash(a), settings_hash(b));
}

TEST(RunSettings, ASettingAddedSinceChangesNoHashUntilItIsUsed) {
  const RunSettings a = valid_spec();
  // The hash that the first version made.
  EXPECT_EQ(settings_hash(a), "7f0452d27d34a7b003ca1afb23b6fbd230d773dee447bf26302e31a96a48389b");
  RunSettings b = a;
  b.allow_nonfinite = true;
  EXPECT_NE(settings_hash(a), settings_hash(b));
}

TEST(RunSettings, EveryFieldHasHelpAndANameThatIsFound) {
  for (const Field& field : fields()) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_EQ(find_field(field.name), &field);
  }
}

}  // namespace
}  // namespace wansweep
