#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/text_table.h"

namespace wansweep {
namespace {

TEST(Printable, TextOfAnyLanguageStaysAsItIs) {
  for (const char* text : {"", "plain text", "größe", "模型", "🙂", "a\\b", "50 %"}) EXPECT_EQ(printable(text), text);
}

TEST(Printable, WhatATerminalWouldActOnIsWrittenOut) {
  EXPECT_EQ(printable("\x1b[31mred\x1b]0;title\a"), "\\e[31mred\\e]0;title\\x07");
  EXPECT_EQ(printable("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
  EXPECT_EQ(printable(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u{9b}31m")
      << "the one-byte escape of C1";
  EXPECT_EQ(printable("gpj.\xe2\x80\xae"
                      "exe"),
            "gpj.\\u{202e}exe")
      << "text that runs backwards";
}

TEST(Printable, BytesThatAreNoUtf8AreShownOneByOne) {
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "an overlong form";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(printable("x\xe6\xa8"), "x\\xe6\\xa8") << "cut short";
}

TEST(TextTable, CellsAreOneLineEachAndAlignedByCharacters) {
  TextTable table({{"name"}, {"n", Align::right}});
  table.add_row({"größe", "1"});
  table.add_row({"a\nb", "22"});
  EXPECT_EQ(table.to_string(), "name    n\n-----  --\ngröße   1\na\\nb   22\n");
}

}  // namespace
}  // namespace wansweep
