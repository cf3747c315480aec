#include "base/shell_quote.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

TEST(ShellWord, IsQuotedOnlyWhereAShellWouldReadSomethingElse) {
  EXPECT_EQ(shell_word("out/demo-1.2"), "out/demo-1.2");
  EXPECT_EQ(shell_word("a b/o"), "'a b/o'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("$(x)"), "'$(x)'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("~/x"), "'~/x'");
}

}  // namespace
}  // namespace wansweep
