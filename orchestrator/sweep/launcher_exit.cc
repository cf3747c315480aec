#include "orchestrator/sweep/launcher_exit.h"

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr int shells_offset = 128;

bool is_signal(int number) { return number > 0 && number <= SIGRTMAX; }

// Of "mpirun noticed that process rank 3 with PID 71 on node n6 exited on signal 11 (Segmentation fault)."; Open MPI
// 5's program is prterun.
std::optional<int> signal_in(std::string_view line) {
  constexpr std::string_view mark = " exited on signal ";
  const size_t at = line.find(mark);
  if (at == std::string_view::npos || line.find(" noticed that process rank ") == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = line.substr(at + mark.size());
  int number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc() && is_signal(number) ? std::optional(number) : std::nullopt;
}

std::optional<int> signal_on_standard_error(const std::string& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (const std::optional<int> signal = signal_in(line)) return signal;
  }
  return std::nullopt;
}

}  // namespace

LauncherExit read_launcher_exit(const std::string& directory, int exit_code) {
  std::error_code ignored;
  if (exit_code == 0 || fs::exists(directory + "/failure.json", ignored)) return {exit_code, std::nullopt};
  if (const std::optional<int> signal = signal_on_standard_error(directory + "/stderr.log")) return {{}, signal};
  if (is_signal(exit_code - shells_offset)) return {{}, exit_code - shells_offset};
  return {exit_code, std::nullopt};
}

}  // namespace wansweep
