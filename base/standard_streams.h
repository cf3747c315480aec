// The three streams that a program is started with, made safe to use whatever the caller did to them.
#pragma once

namespace wansweep {

// To be called first in main. A pipe whose reader has left then gives a failed write in place of a signal. A stream
// that the caller has closed (`2>&-`) is opened on /dev/null, so that no file takes its number and is written into:
// writes to standard output fail as they would on a closed stream, those to standard error are lost.
void prepare_standard_streams();

}  // namespace wansweep
