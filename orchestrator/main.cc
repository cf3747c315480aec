// wansweep: plans a sweep, runs it, gathers its results into a database, and answers questions about them.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/standard_output.h"
#include "base/standard_streams.h"
#include "base/terminal/unexpected_argument.h"
#include "orchestrator/verbs/verbs.h"
#include "schema/version.h"

namespace {

// Refuses empty arguments, which unset shell variables leave: they name no path, run or sweep.
void refuse_empty_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    option->check([](const std::string& value) {
      return value.empty() ? std::string("the value is empty; give a value, or leave the option out") : std::string();
    });
  }
  for (CLI::App* verb : app.get_subcommands({})) refuse_empty_values(*verb);
}

int fail(wansweep::ExitCode code, const char* line) {
  wansweep::print_error("wansweep: {}\n", wansweep::printable(line));
  return static_cast<int>(code);
}

int run(int argc, char** argv) {
  CLI::App app("Sweeps of Wan2.2's denoising loop: plan, run, gather, query.", "wansweep");
  app.set_version_flag("--version", fmt::format("wansweep {} ({})", wansweep::version, wansweep::git_revision));
  app.footer(
      "A first sweep:\n  wansweep plan jobs/demo.toml\n  wansweep run jobs/demo.toml\n  wansweep gather out/demo\n"
      "  wansweep query out/demo offload_comparison");

  wansweep::Action action;
  wansweep::add_plan(app, action);
  wansweep::add_predict(app, action);
  wansweep::add_probe(app, action);
  wansweep::add_choose(app, action);
  wansweep::add_run(app, action);
  wansweep::add_generate(app, action);
  wansweep::add_submit(app, action);
  wansweep::add_status(app, action);
  wansweep::add_cancel(app, action);
  wansweep::add_logs(app, action);
  wansweep::add_cluster(app, action);
  wansweep::add_import(app, action);
  wansweep::add_gather(app, action);
  wansweep::add_query(app, action);
  wansweep::add_export(app, action);
  wansweep::add_report(app, action);
  wansweep::add_resolve(app, action);
  wansweep::add_rerun(app, action);
  wansweep::add_compare(app, action);
  wansweep::add_manual(app, action);

  refuse_empty_values(app);

  try {
    app.parse(argc, argv);
    if (!action) return fail(wansweep::ExitCode::bad_input, "no verb given; see wansweep --help");
    return action();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const std::string verb = app.get_subcommands().empty() ? "" : app.get_subcommands().front()->get_name() + " ";
    const std::string help = "wansweep " + verb + "--help";
    return fail(wansweep::ExitCode::bad_input, wansweep::refusal_of(app, error, help).c_str());
  } catch (const wansweep::Error& error) {
    return fail(error.code(), error.what());
  } catch (const nlohmann::json::type_error& error) {
    if (error.id != 316) return fail(wansweep::ExitCode::internal, error.what());
    return fail(wansweep::ExitCode::bad_input,
                "a name or a path is not valid UTF-8 and cannot be written into a record; use another name");
  } catch (const std::bad_alloc&) {
    return fail(wansweep::ExitCode::host_memory,
                "there is not enough memory; raise the limit of the address space (ulimit -v), or reduce the request");
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) return fail(wansweep::ExitCode::internal, error.what());
    // fmt throws the reason when it cannot print.
    return fail(
        wansweep::ExitCode::output,
        fmt::format("standard output cannot be written: {}", wansweep::error_text(error.code().value())).c_str());
  } catch (const std::exception& error) {
    return fail(wansweep::ExitCode::internal, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  wansweep::prepare_standard_streams();
  return wansweep::finish_standard_output("wansweep", run(argc, argv));
}
