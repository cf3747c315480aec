#include "orchestrator/store/query/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "orchestrator/store/query/table_writer.h"

namespace wansweep {
namespace {

const Table sample{{"näme", "n", "x"},
                   {{std::string("é,\"1\""), int64_t{7}, 1.5},
                    {std::string("two\nlines"), int64_t{-12}, 10.25},
                    {std::monostate{}, std::monostate{}, std::monostate{}}},
                   false};

TEST(Table, TextAlignsNumbersAndCountsCharacters) {
  EXPECT_EQ(to_text(sample),
            "näme         n      x\n"
            "---------  ---  -----\n"
            "é,\"1\"        7   1.50\n"
            "two lines  -12  10.25\n"
            "-            -      -\n");
}

TEST(Table, LongHeadersStandInLinesAboveTheirColumn) {
  EXPECT_EQ(to_text({{"run", "median_step_ms"}, {{std::string("a"), 12.5}}, false}),
            "     median\n"
            "       step\n"
            "run      ms\n"
            "---  ------\n"
            "a      12.5\n");
}

TEST(Table, CsvQuotesAsTheRfcSays) {
  EXPECT_EQ(to_csv(sample), "näme,n,x\r\n\"é,\"\"1\"\"\",7,1.5\r\n\"two\nlines\",-12,10.25\r\n,,\r\n");
}

TEST(Table, JsonKeepsColumnsWhoseNameComesAgain) {
  const Table table{{"a", "a:1", "a"}, {{int64_t{1}, int64_t{2}, int64_t{3}}}, false};
  const auto json = nlohmann::json::parse(to_json(table));
  EXPECT_EQ(json[0].size(), 3u);
  EXPECT_EQ(json[0]["a"], 1);
  EXPECT_EQ(json[0]["a:2"], 3);
  EXPECT_EQ(to_json({{"a"}, {}, false}), "[]\n");
}

TEST(Table, ATerminalGetsNoEscapes) {
  const std::string text = to_text({{"x\x1b[31m"}, {{std::string("\x1b]0;title\x07")}, {std::string("\xff")}}, false});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\\e]0;title\\x07"), std::string::npos);
  EXPECT_NE(text.find("\\xff"), std::string::npos);
}

TEST(Table, RowsBeyondTheSampleAreStillPrinted) {
  std::string text;
  TableWriter writer(TableFormat::text, [&](std::string_view part) { text += part; });
  writer.columns({"n"});
  for (int64_t i = 0; i < 20'000; ++i) writer.row({i});
  writer.finish();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20'002);
  EXPECT_NE(text.find("\n19999\n"), std::string::npos);
}

TEST(Table, JsonKeepsTypesAndNulls) {
  const auto json = nlohmann::json::parse(to_json(sample));
  EXPECT_EQ(json[0]["n"], 7);
  EXPECT_EQ(json[1]["x"], 10.25);
  EXPECT_TRUE(json[2]["näme"].is_null());
}

}  // namespace
}  // namespace wansweep
