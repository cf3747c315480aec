// Expects a call to throw an Error of a code, its line containing a text.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace wansweep {

template <typename F>
void expect_error(ExitCode code, const std::string& part, F call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown; expected: " << part;
  } catch (const Error& error) {
    const std::string line = error.what();
    EXPECT_EQ(error.code(), code) << line;
    EXPECT_NE(line.find(part), std::string::npos) << line << "\n  lacks: " << part;
    EXPECT_EQ(line.find('\n'), std::string::npos) << "more than one line: " << line;
  }
}

}  // namespace wansweep
