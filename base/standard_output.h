// Standard output, checked to its end: what cannot be written (a full disk, an exceeded quota) must not end with exit
// code 0.
#pragma once

namespace wansweep {

// Writes out what is buffered, so that it comes before what standard error says next. Throws Error(output) with the
// reason.
void flush_standard_output();

// To be called last in main, with what it is about to return. Writes out what is buffered, and closes standard output.
// When any of it could not be written: a line on standard error, and ExitCode::output in place of 0.
int finish_standard_output(const char* program, int exit_code);

}  // namespace wansweep
