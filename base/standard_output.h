// Standard output, checked to its end: what cannot be written (a full disk, an exceeded quota) must not end with exit
// code 0.
#pragma once

#include <string>

namespace wansweep {

// All of `text`. Throws Error(output) with the reason when it cannot be written: also of a text that is longer than the
// buffer, whose first part fails before the last is written.
void write_standard_output(const std::string& text);

// Writes out what is buffered, so that it comes before what standard error says next. Throws Error(output) with the
// reason.
void flush_standard_output();

// To be called last in main, with what it is about to return. Writes out what is buffered, and closes standard output.
// When any of it could not be written: a line on standard error, and ExitCode::output in place of 0.
int finish_standard_output(const char* program, int exit_code);

}  // namespace wansweep
