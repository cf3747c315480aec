#include "base/toml_depth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

void expect_refused(const std::string& text, const std::string& line = "s.toml:1") {
  expect_error(ExitCode::bad_input, line + ": is nested deeper than 32 levels",
               [&] { refuse_deep_toml(text, "s.toml"); });
}

TEST(TomlDepth, TwoHundredThousandLevelsOfAnyKindAreRefused) {
  expect_refused("a = " + repeated("[", 200'000));
  expect_refused("a = " + repeated("{a = ", 200'000));
  expect_refused(repeated("a.", 200'000) + "a = 1");
  expect_refused("[" + repeated("a.", 200'000) + "a]");
  expect_refused("[[" + repeated("\"a\" . ", 200'000) + "a]]");
  expect_refused("x = 1\ny = {" + repeated("'a'.", 40) + "a = 1}", "s.toml:2");
}

TEST(TomlDepth, WhatIsInStringsAndCommentsDoesNotCount) {
  const std::string deep = repeated("[.", 100);
  for (const std::string& text :
       {"a = \"" + deep + "\"\n", "a = '" + deep + "'\n", "# " + deep + "\n", "a = \"\"\"\n" + deep + "\n\"\"\"\n",
        "a = '''\n'" + deep + "'''\n", "a = \"\\\"" + deep + "\"\n", "a = \"\"\"\"" + deep + "\"\"\"\"\"\n"}) {
    EXPECT_NO_THROW(refuse_deep_toml(text, "s.toml")) << text;
    expect_refused(text + deep, "s.toml:" + std::to_string(1 + std::count(text.begin(), text.end(), '\n')));
  }
}

TEST(TomlDepth, AsManyKeysAndListsAsOneLikesAreFine) {
  EXPECT_NO_THROW(refuse_deep_toml(repeated("a.b = [1.5, [2.5]]\n", 1000), "s.toml"));
  EXPECT_NO_THROW(refuse_deep_toml("a = [" + repeated("1.5, ", 1000) + "]", "s.toml"));
  EXPECT_NO_THROW(refuse_deep_toml(repeated("]", 1000) + repeated("[", 32), "s.toml"));
}

}  // namespace
}  // namespace wansweep
