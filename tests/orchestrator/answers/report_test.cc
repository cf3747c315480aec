#include "orchestrator/answers/report/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "orchestrator/answers/report/picture.h"
#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;

class ReportTest : public SweepTest {
 protected:
  std::string page(const std::string& sweep = "") const {
    Store store = open_store_readonly(database_);
    return to_html(make_report(store, sweep));
  }
};

size_t count_of(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::string line_of_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(ReportTest, HoldsEveryPictureWithItsQueryAndNeedsNothingElse) {
  for (const char* offload : {"resident", "swap"}) {
    for (int repeat = 1; repeat <= 2; ++repeat) {
      write_attempt(sweep_, {.offload = offload, .repeat = repeat, .exposed_ms = 30});
    }
  }
  write_attempt(sweep_, {.offload = "swap", .repeat = 3, .spike_ms = 40});
  gather_all();
  {
    Store store = open_store(database_);
    store.db.exec(
        "UPDATE run SET superseded_by = (SELECT id FROM run WHERE name LIKE 'swap%-r3') "
        "WHERE name LIKE 'swap%-r2'");
  }
  const std::string html = page();
  for (const NamedQuery& query : named_queries) {
    if (query.plot.empty()) continue;
    EXPECT_NE(html.find(question_of(query)), std::string::npos) << query.name;
    EXPECT_NE(html.find("id=\"" + query.name + "_1_"), std::string::npos) << query.name;
  }
  EXPECT_EQ(count_of(html, "<svg "), 8u);  // the pictures of one configuration
  EXPECT_EQ(count_of(html, "<svg "), count_of(html, "</svg>"));
  for (const char* outside : {"<script", "<link", "<img", "src=", "url(http", "href='http", "href=\"http"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  EXPECT_EQ(html.find("{{"), std::string::npos);
  EXPECT_EQ(html.find("'black'"), std::string::npos);  // else unreadable in the dark
}

TEST_F(ReportTest, OpensWithTheVerdictOnItsRuns) {
  for (int repeat = 1; repeat <= 2; ++repeat) {
    write_attempt(sweep_, {.offload = "resident", .repeat = repeat});
    write_attempt(sweep_, {.offload = "swap", .repeat = repeat, .spike_ms = 100});
    write_attempt(sweep_, {.offload = "layerwise", .repeat = repeat, .spike_ms = 300});
  }
  write_attempt(sweep_, {.offload = "swap", .repeat = 3, .steps = 3, .state = "failed"});
  gather_all();
  Store store = open_store_readonly(database_);
  const Report report = make_report(store, "");
  EXPECT_EQ(
      fmt::format("{}", fmt::join(report.verdict.headline, " ")),
      "swap is the fastest way of moving weights; the next fastest, layerwise, takes 7.1 % longer. Compared with both "
      "experts resident on the device, swap takes 3.7 % longer. The device memory of a rank peaks at 100 MiB "
      "with swap and 100 MiB with resident.");
  ASSERT_EQ(report.verdict.cases.size(), 1u);
  const std::string html = to_html(report);
  EXPECT_LT(html.find(report.verdict.headline.at(0)), html.find(report.chapters.at(0).title)) << "before all else";
  EXPECT_NE(html.find("swap won with 2.8 s (median of 2 runs); layerwise took 3 s (7.1 % longer)."), std::string::npos);
  EXPECT_NE(html.find("1 of 7 runs has no result (failed)"), std::string::npos);
}

TEST_F(ReportTest, OnPaperALongTableSaysThatItGoesOn) {
  for (const char* offload : {"resident", "swap", "layerwise"}) write_attempt(sweep_, {.offload = offload});
  gather_all();
  Store store = open_store_readonly(database_);
  Report report = make_report(store, "");
  Section& section = report.chapters.at(0).sections.at(0);
  EXPECT_EQ(to_html(report).find("The first 40 of 41 rows"), std::string::npos);
  section.table.rows.resize(41, section.table.rows.at(0));
  EXPECT_NE(to_html(report).find("The first 40 of 41 rows: the page on a screen has all of them."), std::string::npos);
}

TEST_F(ReportTest, WhatEachRankMeasuresOfItselfIsARange) {
  for (int repeat = 1; repeat <= 4; ++repeat) write_attempt(sweep_, {.repeat = repeat});
  gather_all();
  open_store(database_).db.exec(
      "INSERT INTO environment (rank_id, name, value) SELECT id, 'warm_up_s', 0.5 + id / 8.0 FROM rank");
  const std::string html = page();
  EXPECT_NE(html.find("<td>warm_up_s</td><td>0.625 to 1.5</td>"), std::string::npos);
}

TEST_F(ReportTest, SaysHowFarItIs) {
  write_attempt(sweep_, {});
  gather_all();
  Store store = open_store_readonly(database_);
  size_t calls = 0, last = 0, all = 0;
  make_report(store, "", [&](std::string_view, size_t done, size_t of) {
    ++calls;
    last = done;
    all = of;
  });
  EXPECT_GT(calls, 10u);
  EXPECT_EQ(last, all);
}

TEST_F(ReportTest, ASweepWithoutASwitchHasItsPicturesWithoutTheLine) {
  write_attempt(sweep_, {.switch_at = 28});
  gather_all();
  const std::string html = page();
  EXPECT_NE(html.find("id=\"step_times_1_"), std::string::npos);
  EXPECT_EQ(html.find("What does the change of experts cost"), std::string::npos);
}

// The colour must not depend on which other modes are in the picture, nor on their order.
TEST_F(ReportTest, AModeHasOneColourInEveryPicture) {
  const Table both{{"offload", "step", "ms"},
                   {{std::string("layerwise"), int64_t{1}, 2.0}, {std::string("swap"), int64_t{1}, 3.0}},
                   false};
  const Table one{{"offload", "step", "ms"}, {{std::string("swap"), int64_t{1}, 3.0}}, false};
  const std::string commands = "plot for [i = 0:series - 1] data index i using 1:2 with points linetype lt(i)";
  const std::map<std::string, int> linetypes{{"resident", 1}, {"swap", 2}, {"layerwise", 3}};
  const std::string swap = "#D55E00", layerwise = "#009E73";
  const auto colour_in = [](const std::string& svg, const std::string& colour) {
    const std::string decimal = colour == "#D55E00" ? "rgb(213,  94,   0)" : "rgb(  0, 158, 115)";
    return count_of(svg, colour) + count_of(svg, decimal) > 0;
  };
  const std::string first = draw({"p", "t", commands, both, linetypes}),
                    second = draw({"q", "t", commands, one, linetypes});
  EXPECT_TRUE(colour_in(first, swap) && colour_in(first, layerwise));
  EXPECT_TRUE(colour_in(second, swap));
  EXPECT_FALSE(colour_in(second, layerwise));
}

// The share of the light that a colour reflects, as WCAG 2 defines it: 0 to 1. `svg`: "rgb(213,  94,   0)".
double luminance(const std::string& svg) {
  std::istringstream numbers(svg.substr(4));
  double sum = 0;
  char comma = 0;
  for (const double weight : {0.2126, 0.7152, 0.0722}) {
    double value = 0;
    numbers >> value >> comma;
    value /= 255;
    sum += weight * (value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return sum;
}

double contrast(double one, double other) { return (std::max(one, other) + 0.05) / (std::min(one, other) + 0.05); }

// Every way of a mode, drawn as lines by themselves.
std::string lines_of(const std::vector<int>& linetypes) {
  Table table{{"offload", "step", "ms"}, {}, false};
  std::map<std::string, int> types;
  for (const int linetype : linetypes) {
    const std::string name = "way " + std::to_string(linetype);
    types[name] = linetype;
    for (int64_t step = 1; step <= 2; ++step) table.rows.push_back({name, step, 2.0});
  }
  return draw({"p", "t",
               "unset grid\nset border 0\nplot for [i = 0:series - 1] data index i using 1:2 with lines linetype lt(i)",
               table, types});
}

TEST_F(ReportTest, EveryModeHasContrastOnALightAndADarkPage) {
  const double white = 1, dark = luminance("rgb( 23,  25,  28)");
  const std::regex colour(R"(stroke='(rgb\([^)]*\)))");
  for (int linetype = 1; linetype <= 20; ++linetype) {
    const std::string svg = lines_of({linetype});
    const std::string plot = svg.substr(svg.find("plot_1"));
    std::smatch found;
    ASSERT_TRUE(std::regex_search(plot, found, colour)) << plot;
    EXPECT_GE(contrast(luminance(found[1]), white), 3) << linetype << ' ' << found[1];
    EXPECT_GE(contrast(luminance(found[1]), dark), 3) << linetype << ' ' << found[1];
  }
}

TEST_F(ReportTest, WaysOfAModeDifferByDash) {
  const std::regex dash("stroke-dasharray=[^ ]*");
  std::set<std::string> dashes;
  for (const int linetype : {5, 10, 15, 20}) {
    const std::string svg = lines_of({linetype});
    std::smatch found;
    dashes.insert(std::regex_search(svg, found, dash) ? found[0].str() : "solid");
  }
  EXPECT_EQ(dashes.size(), 4u);
}

const NamedQuery& query_named(std::string_view name) {
  return *std::find_if(named_queries.begin(), named_queries.end(),
                       [&](const NamedQuery& one) { return one.name == name; });
}

// Under a key of eight rows the plot keeps its height.
TEST_F(ReportTest, APictureGrowsWithItsKey) {
  const auto height_of_axis = [](int ways) {
    Table table{{"offload", "step", "step_ms", "switch_step"}, {}, false};
    for (int way = 0; way < ways; ++way) {
      const std::string name = "planned within " + std::to_string(way) + " GiB (block order, yielding)";
      for (int64_t step = 1; step <= 9; ++step) table.rows.push_back({name, step, 2.0, int64_t{7}});
    }
    const std::string svg = draw({"p", "t", query_named("step_times").plot, table});
    // The frame's left side: "M54.53,16.70 L54.53,240.26 L...".
    const std::regex side(R"(M([0-9.]+),([0-9.]+) L\1,([0-9.]+) )");
    double height = 0;
    for (std::sregex_iterator found(svg.begin(), svg.end(), side); found != std::sregex_iterator(); ++found) {
      height = std::max(height, std::abs(std::stod((*found)[3]) - std::stod((*found)[2])));
    }
    return height;
  };
  for (const int ways : {1, 4, 8}) EXPECT_GT(height_of_axis(ways), 200) << ways;
}

TEST_F(ReportTest, RatesHaveAFrameForEachKindOfTrafficWhereverTheirColumnsStand) {
  const auto row = [](const char* way, const char* kind, Cell groups, double alone) {
    return std::vector<Cell>{std::string(way), std::move(groups), std::string(kind), 1.0, alone / 2, 1.0, alone};
  };
  const Table table{{"offload", "exchange_groups", "kind", "beside_plus_minus", "beside_gb_per_s", "alone_plus_minus",
                     "alone_gb_per_s"},
                    {row("swap", "all_to_all", int64_t{1}, 280.0), row("swap", "all_to_all", int64_t{2}, 95.0),
                     row("swap", "h2d", std::monostate{}, 43.0)},
                    false};
  const std::string svg = draw({"p", "t", query_named("contention").plot, table});
  for (const char* frame : {">copies to the device (", ">all-to-all (", ">all-to-all in 2 groups ("}) {
    EXPECT_NE(svg.find(frame), std::string::npos) << frame;
  }
  EXPECT_EQ(svg.find(">copies from the device"), std::string::npos);
  EXPECT_EQ(count_of(svg, ">swap<"), 3u);
  EXPECT_NE(svg.find(" 300<"), std::string::npos) << "a linear axis up to the largest rate";
}

TEST_F(ReportTest, APictureWithoutDataSaysSo) {
  EXPECT_FALSE(can_be_drawn({{"offload", "step", "ms"}, {{std::string("swap"), int64_t{1}, std::monostate{}}}, false}));
  EXPECT_TRUE(can_be_drawn({{"offload", "step", "ms"}, {{std::string("swap"), int64_t{1}, 2.0}}, false}));
}

// As an import of a file that tells no ranks.
TEST_F(ReportTest, RunsOfAnUnknownNumberOfRanksAreDrawnAndNotCalledOneRank) {
  write_attempt(sweep_, {});
  gather_all();
  open_store(database_).db.exec("UPDATE setting SET value = NULL, origin = 'unknown' WHERE name = 'ranks'");
  const std::string html = page();
  EXPECT_NE(html.find("number of ranks not told"), std::string::npos);
  EXPECT_NE(html.find(">unknown ranks<"), std::string::npos);
  EXPECT_EQ(html.find("nothing to draw"), std::string::npos);
  EXPECT_EQ(html.find(">1 rank"), std::string::npos);
}

TEST_F(ReportTest, SettingsThatNobodyToldAreNotCalledOfficial) {
  write_attempt(sweep_, {.offload = "resident"});
  write_attempt(sweep_, {.offload = "swap"});
  gather_all();
  open_store(database_).db.exec(
      "UPDATE setting SET value = NULL, origin = 'unknown', catalog_value = NULL WHERE name IN ('flow_shift', "
      "'guidance_scale') AND run_id = (SELECT id FROM run WHERE name LIKE '%swap%')");
  Store store = open_store_readonly(database_);
  const std::vector<std::string> remarks = make_report(store, "").verdict.remarks;
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_EQ(remarks[0], "1 of 2 runs used the model's official settings.");
  EXPECT_TRUE(remarks[1].starts_with("Nobody told flow_shift, guidance_scale of run swap-")) << remarks[1];
}

TEST_F(ReportTest, WordsBetweenBackticksAreSetAsCode) {
  write_attempt(sweep_, {.offload = "resident"});
  write_attempt(sweep_, {.offload = "swap"});
  gather_all();
  const std::string html = page();
  EXPECT_NE(html.find("<code>not finite</code>"), std::string::npos);
  const std::string begin = "<p class=\"faint\">";
  for (size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) {
    const std::string text = html.substr(at, html.find("</p>", at) - at);
    EXPECT_EQ(text.find('`'), std::string::npos) << text;
  }
}

// The labels of the y axis, from a picture whose own values end at a tenth of the other's.
TEST_F(ReportTest, PicturesBesideOneAnotherHaveOneScale) {
  const Table low{
      {"offload", "step", "step_ms", "switch_step"}, {{std::string("swap"), int64_t{1}, 5.0, int64_t{2}}}, false};
  Table whole = low;
  whole.rows.push_back({std::string("swap"), int64_t{1}, 50.0, int64_t{2}});
  Picture picture{"p", "t", query_named("step_times").plot, low};
  EXPECT_EQ(draw(picture).find("> 50<"), std::string::npos);
  picture.whole = whole;
  EXPECT_NE(draw(picture).find("> 50<"), std::string::npos) << draw(picture);
}

TEST_F(ReportTest, NamesAreTextAndNeverMarkup) {
  write_attempt(sweep_, {});
  gather_all();
  {
    Store store = open_store(database_);
    store.db.exec("UPDATE sweep SET name = '<b>it''s</b>', matrix = '</pre><script>'");
  }
  const std::string html = page();
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;it"), std::string::npos);
}

TEST_F(ReportTest, ASweepThatIsMissingOrHasNothingToShowIsReported) {
  write_attempt(sweep_, {.steps = 3, .state = "failed"});
  gather_all();
  EXPECT_NE(line_of_error([&] { page("other"); }).find("holds no sweep other; there are: demo"), std::string::npos);
  EXPECT_NE(line_of_error([&] { page(); }).find("has no complete run to report on"), std::string::npos);
}

TEST_F(ReportTest, AMissingGnuplotIsOneLine) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", directory_.c_str(), 1);
  const std::string line = line_of_error([] { draw({"p", "title", "plot x", {}}); });
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(
      line,
      "gnuplot, which draws the report's pictures, is not installed; install gnuplot-nox (Debian) or load its module");
}

TEST_F(ReportTest, WithoutGnuplotThePageSaysWhichPicturesAreMissingAndHasTheirTables) {
  write_attempt(sweep_, {});
  gather_all();
  const std::string path = std::getenv("PATH");
  setenv("PATH", directory_.c_str(), 1);
  Store store = open_store_readonly(database_);
  const Report report = make_report(store, "");
  setenv("PATH", path.c_str(), 1);
  EXPECT_NE(std::find(report.missing.begin(), report.missing.end(), "step_times"), report.missing.end());
  const std::string html = to_html(report);
  EXPECT_EQ(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find("The picture is missing because gnuplot was not installed"), std::string::npos);
}

TEST_F(ReportTest, WhatGnuplotSaysIsPassedOn) {
  EXPECT_NE(line_of_error([] {
              draw({"p", "title", "plot nonsense(", {}});
            }).find("gnuplot failed: "),
            std::string::npos);
}

}  // namespace
}  // namespace wansweep
