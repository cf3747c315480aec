// wansweep-worker: starts MPI, reads the settings, does one run or one probe, and reports a failure in one line.

#include <csignal>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/standard_output.h"
#include "base/standard_streams.h"
#include "worker/comm/launcher.h"
#include "worker/comm/mpi_world.h"
#include "worker/failure_report.h"
#include "worker/options.h"
#include "worker/probe/probe.h"
#include "worker/session.h"

namespace {

using namespace wansweep;

void install_signal_handlers() {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) std::signal(signal, request_stop);
}

int run(MpiWorld& world, int argc, char** argv) {
  std::string out;
  try {
    std::optional<WorkerOptions> options;
    std::string text;
    world.all_or_none([&] {
      if (const auto problem = ranks_out_of_sight(world.ranks(), std::getenv)) throw bad_input(*problem);
      options = read_options(argc, argv, &text);
    });
    if (!options) {
      world.all_or_none([&] {
        if (world.rank() == 0) write_standard_output(text);
      });
      return 0;
    }
    out = options->out;
    if (!options->probe.empty()) return static_cast<int>(run_probe(world, *options));
    return static_cast<int>(run_session(world, std::move(*options)));
  } catch (const CommonError& error) {
    if (world.rank() == error.rank()) report_failure(out, error.rank(), error.code(), error.what());
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    report_failure(out, world.rank(), error.code(), fmt::format("rank {}: {}", world.rank(), error.what()));
    MpiWorld::abort(error.code());
  } catch (const std::exception& error) {
    report_failure(out, world.rank(), ExitCode::internal, fmt::format("rank {}: {}", world.rank(), error.what()));
    MpiWorld::abort(ExitCode::internal);
  }
}

}  // namespace

int main(int argc, char** argv) {
  prepare_standard_streams();
  try {
    MpiWorld world(&argc, &argv);
    install_signal_handlers();
    return finish_standard_output("wansweep-worker", run(world, argc, argv));
  } catch (const Error& error) {
    report_failure("", 0, error.code(), error.what());
    MpiWorld::abort(error.code());
  } catch (const std::exception& error) {
    report_failure("", 0, ExitCode::internal, error.what());
    MpiWorld::abort(ExitCode::internal);
  }
}
