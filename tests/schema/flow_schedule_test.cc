#include "schema/flow_schedule.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace wansweep {
namespace {

struct Table {
  SigmaSchedule schedule;
  double flow_shift;
  std::vector<int> timesteps;
  std::vector<double> sigmas;
};

// Three published schedules of 27 steps, for the right shift of Wan2.2 T2V-A14B (12) and for the wrong one (3).
const std::vector<Table>& published_tables() {
  static const std::vector<Table> tables{
      {SigmaSchedule::diffusers,
       3.0,
       {999, 987, 974, 960, 945, 929, 913, 895, 877, 857, 836, 813, 789, 763,
        736, 706, 674, 638, 600, 558, 513, 462, 406, 344, 274, 195, 105},
       {0.9999990, 0.9873548, 0.9740533, 0.9600432, 0.9452662, 0.9296578, 0.9131455, 0.8956487, 0.8770764, 0.8573265,
        0.8362832, 0.8138152, 0.7897727, 0.7639843, 0.7362525, 0.7063492, 0.6740088, 0.6389208, 0.6007195, 0.5589712,
        0.5131579, 0.4626556, 0.4067055, 0.3443760, 0.2745098, 0.1956522, 0.1059480, 0.0000000}},
      {SigmaSchedule::sglang,
       3.0,
       {999, 987, 973, 959, 945, 929, 912, 895, 876, 857, 835, 813, 789, 763,
        735, 705, 673, 638, 599, 558, 512, 461, 405, 342, 272, 193, 103},
       {0.9998888, 0.9872292, 0.9739120, 0.9598847, 0.9450888, 0.9294595, 0.9129243, 0.8954020, 0.8768016, 0.8570203,
        0.8359421, 0.8134351, 0.7893489, 0.7635113, 0.7357240, 0.7057577, 0.6733456, 0.6381755, 0.5998799, 0.5580226,
        0.5120826, 0.4614319, 0.4053067, 0.3427689, 0.2726528, 0.1934921, 0.1034161, 0.0000000}},
      {SigmaSchedule::wan,
       3.0,
       {999, 987, 973, 959, 944, 929, 912, 895, 876, 856, 835, 813, 789, 763,
        735, 705, 673, 637, 599, 557, 511, 461, 405, 342, 272, 193, 103},
       {0.9996665, 0.9870041, 0.9736842, 0.9596542, 0.9448557, 0.9292238, 0.9126860, 0.8951613, 0.8765586, 0.8567753,
        0.8356953, 0.8131868, 0.7890995, 0.7632613, 0.7354740, 0.7055085, 0.6730981, 0.6379310, 0.5996398, 0.5577890,
        0.5118577, 0.4612188, 0.4051095, 0.3425926, 0.2725041, 0.1933798, 0.1033520, 0.0000000}},
      {SigmaSchedule::diffusers,
       12.0,
       {999, 996, 993, 989, 985, 981, 976, 971, 966, 960, 953, 945, 937, 928,
        917, 905, 892, 876, 857, 835, 808, 774, 732, 677, 602, 493, 321},
       {0.9999990, 0.9968084, 0.9933846, 0.9897022, 0.9857308, 0.9814350, 0.9767734, 0.9716971, 0.9661482, 0.9600576,
        0.9533417, 0.9458992, 0.9376054, 0.9283053, 0.9178039, 0.9058524, 0.8921283, 0.8762054, 0.8575096, 0.8352472,
        0.8082902, 0.7749783, 0.7327643, 0.6775294, 0.6021506, 0.4931507, 0.3215797, 0.0000000}},
      {SigmaSchedule::sglang,
       12.0,
       {999, 996, 993, 989, 985, 981, 976, 971, 966, 959, 953, 945, 937, 928,
        917, 905, 891, 875, 857, 834, 807, 774, 731, 676, 599, 489, 315},
       {0.9999930, 0.9967979, 0.9933701, 0.9896830, 0.9857063, 0.9814044, 0.9767357, 0.9716511, 0.9660925, 0.9599904,
        0.9532610, 0.9458023, 0.9374890, 0.9281653, 0.9176349, 0.9056475, 0.8918783, 0.8758980, 0.8571275, 0.8347663,
        0.8076748, 0.7741748, 0.7316872, 0.6760349, 0.5999775, 0.4897734, 0.3157707, 0.0000000}},
      {SigmaSchedule::wan,
       12.0,
       {999, 996, 993, 989, 985, 981, 976, 971, 965, 959, 953, 945, 937, 928,
        917, 905, 891, 875, 856, 834, 807, 773, 731, 675, 599, 489, 315},
       {0.9999166, 0.9967191, 0.9932886, 0.9895988, 0.9856191, 0.9813141, 0.9766419, 0.9715536, 0.9659911, 0.9598847,
        0.9531506, 0.9456869, 0.9373680, 0.9280382, 0.9175012, 0.9055064, 0.8917291, 0.8757396, 0.8569590, 0.8345864,
        0.8074825, 0.7739686, 0.7314662, 0.6757991, 0.5997298, 0.4895259, 0.3155650, 0.0000000}}};
  return tables;
}

TEST(FlowSchedule, PublishedTablesComeOutToAMillionth) {
  for (const Table& table : published_tables()) {
    const FlowSchedule schedule = make_flow_schedule(table.schedule, 27, table.flow_shift);
    EXPECT_EQ(schedule.timesteps, table.timesteps) << name_of(table.schedule) << " " << table.flow_shift;
    ASSERT_EQ(schedule.sigmas.size(), table.sigmas.size());
    for (size_t i = 0; i < table.sigmas.size(); ++i) EXPECT_NEAR(schedule.sigmas[i], table.sigmas[i], 1e-6) << i;
  }
}

TEST(FlowSchedule, TheExpertsSwitchWherePublished) {
  const struct {
    int steps;
    double shift, boundary;
    int sglang, wan, diffusers;
  } cases[] = {{27, 3, 0.875, 10, 10, 10}, {27, 12, 0.875, 19, 19, 19}, {27, 5, 0.875, 13, 13, 13},
               {27, 5, 0.9, 11, 11, 11},   {40, 12, 0.875, 27, 27, 27}, {40, 3, 0.875, 13, 13, 14},
               {40, 5, 0.9, 16, 16, 16}};
  for (const auto& each : cases) {
    auto at = [&](SigmaSchedule schedule) {
      return switch_step(make_flow_schedule(schedule, each.steps, each.shift), each.boundary);
    };
    EXPECT_EQ(at(SigmaSchedule::sglang), each.sglang) << each.steps << " steps, shift " << each.shift;
    EXPECT_EQ(at(SigmaSchedule::wan), each.wan) << each.steps << " steps, shift " << each.shift;
    EXPECT_EQ(at(SigmaSchedule::diffusers), each.diffusers) << each.steps << " steps, shift " << each.shift;
  }
}

// The F32 values of one tensor of a reference trajectory.
std::vector<float> reference_values(const std::string& trajectory, const char* tensor) {
  std::ifstream file(std::string(WANSWEEP_SOURCE_DIR) + "/tests/reference/trajectory-" + trajectory + ".safetensors",
                     std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  const nlohmann::json entry = nlohmann::json::parse(bytes.substr(8, header))[tensor];
  const size_t begin = 8 + header + entry["data_offsets"][0].get<size_t>();
  std::vector<float> values((8 + header + entry["data_offsets"][1].get<size_t>() - begin) / 4);
  std::memcpy(values.data(), bytes.data() + begin, values.size() * 4);
  return values;
}

TEST(FlowSchedule, DiffusersOwnSigmasAndTimestepsComeOut) {
  const struct {
    const char* trajectory;
    int steps;
    double shift;
  } cases[] = {{"shift12", 27, 12}, {"shift3", 27, 3}, {"one-step", 1, 12}};
  for (const auto& each : cases) {
    const FlowSchedule schedule = make_flow_schedule(SigmaSchedule::diffusers, each.steps, each.shift);
    const std::vector<float> sigmas = reference_values(each.trajectory, "sigmas");
    const std::vector<float> timesteps = reference_values(each.trajectory, "timesteps");
    ASSERT_EQ(schedule.sigmas.size(), sigmas.size());
    for (size_t i = 0; i < sigmas.size(); ++i)
      EXPECT_NEAR(schedule.sigmas[i], sigmas[i], 1e-6) << each.trajectory << " " << i;
    for (size_t i = 0; i < timesteps.size(); ++i)
      EXPECT_EQ(schedule.timesteps[i], static_cast<int>(timesteps[i])) << each.trajectory;
  }
}

TEST(FlowSchedule, ARunThatStaysAboveTheBoundaryNeverSwitches) {
  EXPECT_EQ(switch_step(make_flow_schedule(SigmaSchedule::diffusers, 1, 12), 0.875), std::nullopt);
  EXPECT_EQ(switch_step(make_flow_schedule(SigmaSchedule::diffusers, 27, 12), 0), std::nullopt);
}

TEST(FlowSchedule, StepsAndShiftMustBeAboveZero) {
  EXPECT_THROW(make_flow_schedule(SigmaSchedule::wan, 0, 12), Error);
  EXPECT_THROW(make_flow_schedule(SigmaSchedule::wan, 27, 0), Error);
  EXPECT_EQ(value_named<SigmaSchedule>("karras"), std::nullopt);
}

}  // namespace
}  // namespace wansweep
