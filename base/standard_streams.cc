#include "base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace wansweep {

void prepare_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  // In this order, open() gives each closed stream its own number.
  constexpr int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};  // reading, and writing to standard output, fail
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", modes[stream]);
  }
}

}  // namespace wansweep
