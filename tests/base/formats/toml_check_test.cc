#include "base/formats/toml_check.h"

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
  expect_error(ExitCode::bad_input, line + ": is nested deeper than 32 levels", [&] { check_toml(text, "s.toml"); });
}

TEST(TomlCheck, TwoHundredThousandLevelsOfAnyKindAreRefused) {
  expect_refused("a = " + repeated("[", 200'000));
  expect_refused("a = " + repeated("{a = ", 200'000));
  expect_refused(repeated("a.", 200'000) + "a = 1");
  expect_refused("[" + repeated("a.", 200'000) + "a]");
  expect_refused("[[" + repeated("\"a\" . ", 200'000) + "a]]");
  expect_refused("x = 1\ny = {" + repeated("'a'.", 40) + "a = 1}", "s.toml:2");
}

TEST(TomlCheck, WhatIsInStringsAndCommentsDoesNotCount) {
  const std::string deep = repeated("[.", 100);
  for (const std::string& text :
       {"a = \"" + deep + "\"\n", "a = '" + deep + "'\n", "# " + deep + "\n", "a = \"\"\"\n" + deep + "\n\"\"\"\n",
        "a = '''\n'" + deep + "'''\n", "a = \"\\\"" + deep + "\"\n", "a = \"\"\"\"" + deep + "\"\"\"\"\"\n"}) {
    EXPECT_NO_THROW(check_toml(text, "s.toml")) << text;
    expect_refused(text + "x = " + deep, "s.toml:" + std::to_string(1 + std::count(text.begin(), text.end(), '\n')));
  }
}

TEST(TomlCheck, AsManyKeysAndListsAsOneLikesAreFine) {
  EXPECT_NO_THROW(check_toml(repeated("a.b = [1.5, [2.5]]\n", 1000), "s.toml"));
  EXPECT_NO_THROW(check_toml("a = [" + repeated("1.5, ", 1000) + "]", "s.toml"));
  EXPECT_NO_THROW(check_toml(repeated("]", 1000) + repeated("[", 32), "s.toml"));
}

TEST(TomlCheck, AHeaderWithoutAKeyIsNotTomlAndAListIsNotAHeader) {
  for (const char* header : {"[.a]", "[[.a]]", "[ [ = ]", "\t[\n]", "a = 1\n[[#"}) {
    expect_error(ExitCode::bad_input, "not TOML: a table's name is needed after [",
                 [&] { check_toml(header, "s.toml"); });
  }
  for (const char* fine : {"[a]", "[[a]]", "[ 'a' ]", "[]", "[", "a = [.5]", "a = [\n[.5],\n[.5]]"}) {
    EXPECT_NO_THROW(check_toml(fine, "s.toml")) << fine;
  }
}

TEST(TomlCheck, LettersBeyondAsciiBelongIntoStringsAndComments) {
  expect_error(ExitCode::bad_input, "s.toml:2: not TOML: outside strings and comments, only ASCII",
               [&] { check_toml("a = 1\nr\u048Dpeats = 3", "s.toml"); });
  EXPECT_NO_THROW(check_toml("\uFEFFname = \"gr\u00F6\u00DFe\"  # \u048D", "s.toml"));
}

}  // namespace
}  // namespace wansweep
