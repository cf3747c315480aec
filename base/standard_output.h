// Standard output with every write checked: a program whose output is lost (a full disk, an exceeded quota) must not
// end with exit code 0.
#pragma once

#include <string>

namespace wansweep {

// Writes all of `text` and flushes. Throws Error(output) with the reason when any part of it cannot be written.
void write_standard_output(const std::string& text);

// Flushes the buffer, so that its text appears before what is written to standard error next. Throws Error(output)
// with the reason.
void flush_standard_output();

// To be called last in main, with the exit code that main is about to return: flushes and closes standard output, and
// returns the exit code to use. When output was lost, prints a line on standard error and returns ExitCode::output in
// place of 0.
int finish_standard_output(const char* program, int exit_code);

}  // namespace wansweep
