// A switch over the engines in each function, and the script that all engines share: it runs the setup, starts the
// engine in the background so that Slurm's signals reach it, and runs `wansweep import` when the engine returned 0.
// Every value is a quoted word of the shell.

#include "orchestrator/engines/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/shell_quote.h"
#include "orchestrator/engines/diffusers_command.h"
#include "orchestrator/engines/followed_settings.h"
#include "orchestrator/engines/sglang_command.h"
#include "orchestrator/engines/sglang_versions.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> engine_arguments(const RunPlan& plan, const std::string& directory,
                                          const EnginePlaces& places) {
  switch (plan.settings.engine) {
    case EngineKind::wansweep:
      break;
    case EngineKind::sglang: {
      std::vector<std::string> arguments = sglang_arguments(plan, directory);
      arguments.insert(arguments.begin(), places.sglang);
      return arguments;
    }
    case EngineKind::diffusers:
      return diffusers_arguments(plan, directory, places);
  }
  throw Error(ExitCode::internal, "the worker is not started by a script");
}

// One flag with its value on each line, so that a person can read and compare the command.
std::string quoted_command(const std::vector<std::string>& arguments) {
  std::string text;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool begins_line = i > 0 && arguments[i].starts_with("--");
    if (i > 0) text += begins_line ? " \\\n  " : " ";
    text += shell_word(arguments[i]);
  }
  return text;
}

// The folder from which the model's relative path, as the user wrote it, is valid: SGLang looks at the path's text.
// Empty when the path is absolute.
std::string working_folder(const RunSettings& settings) {
  const std::string written = written_path(settings, "model");
  if (written.empty()) return "";
  const std::string relative = fs::path(written).lexically_normal().string();
  const std::string& absolute = settings.model;
  if (fs::path(relative).is_absolute() || !absolute.ends_with('/' + relative)) return "";
  return absolute.substr(0, absolute.size() - relative.size());
}

// The setup, which ends the script where one of its lines fails: another SGLang in PATH would run in place of the one
// that the line was to bring.
std::string setup_lines(const EnginePlaces& places) {
  if (places.setup.empty()) return "";
  std::string text = fmt::format(
      "after_setup() {{\n"
      "  [ \"$1\" -eq 0 ] && return\n"
      "  printf 'wansweep: engine_setup: exit code %s after: %s\\n' \"$1\" \"$2\" >&2\n"
      "  exit {}\n"
      "}}\n",
      static_cast<int>(ExitCode::bad_input));
  for (const std::string& line : places.setup) text += fmt::format("{}\nafter_setup $? {}\n", line, shell_quote(line));
  return text;
}

// Ends the script where the SGLang that is there is another release than the flags are for, and writes down what it
// says. The release is told by the Python of the program's first line; where none tells it, the script goes on.
std::string release_lines(const RunPlan& plan, const std::string& directory, const EnginePlaces& places) {
  if (plan.settings.engine != EngineKind::sglang) return "";
  const std::string python =
      places.container.empty()
          ? fmt::format("$(sed -n '1s/^#! *//p;1q' \"$(command -v {})\" 2>/dev/null)", shell_word(places.sglang))
          : places.container + " python3";
  return fmt::format(
      "release=$({python} -c 'import importlib.metadata as m; print(m.version(\"sglang\"))' 2>/dev/null)\n"
      "case \"$release\" in\n"
      "  '' | {version} | {version}+*) ;;\n"
      "  *)\n"
      "    printf 'wansweep: SGLang is %s here, but engine_version is {version}: activate that release, or correct "
      "engine_version\\n' \"$release\" >&2\n"
      "    exit {code} ;;\n"
      "esac\n"
      "printf '%s\\n' \"{name}=${{release:-unknown}}\" >> {file}\n",
      fmt::arg("python", python), fmt::arg("version", plan.settings.engine_version),
      fmt::arg("code", static_cast<int>(ExitCode::bad_input)), fmt::arg("name", sglang_release_name),
      fmt::arg("file", shell_word(directory + '/' + engine_environment_name)));
}

// Sets the folder for the traces of SGLang's profiler; the variable has had two names.
std::string profile_lines(const RunPlan& plan, const std::string& directory) {
  if (plan.settings.engine != EngineKind::sglang || !plan.settings.engine_profile) return "";
  const std::string folder = shell_quote(directory + "/profile");
  return fmt::format("export SGLANG_TORCH_PROFILER_DIR={0} SGLANG_DIFFUSION_TORCH_PROFILER_DIR={0}\n", folder);
}

// Has SGLang time steps to their end on the device, where the release can, unless the user's own environment says
// otherwise; and writes down what was set.
std::string sync_lines(const RunPlan& plan, const std::string& directory) {
  if (plan.settings.engine != EngineKind::sglang) return "";
  if (!SglangVersion(plan.settings.engine_version).syncs_steps()) return "";
  return fmt::format("export {0}=\"${{{0}:-1}}\"\nprintf '%s\\n' \"{0}=${0}\" > {1}\n", sync_steps_variable,
                     shell_word(directory + '/' + engine_environment_name));
}

}  // namespace

EnginePlaces default_engine_places() {
  EnginePlaces places;
  const std::string self = this_program();
  places.wansweep = self.empty() ? "wansweep" : self;
  return places;
}

bool has_script(EngineKind engine) { return engine != EngineKind::wansweep; }

std::vector<std::string> check_engine(const RunPlan& plan) {
  std::vector<std::string> notes;
  switch (plan.settings.engine) {
    case EngineKind::wansweep:
      break;
    case EngineKind::sglang:
      notes = check_sglang(plan);
      break;
    case EngineKind::diffusers:
      check_diffusers(plan);
      break;
  }
  refuse_unfollowed(plan.settings);
  return notes;
}

void check_engine_program(EngineKind engine, const EnginePlaces& places) {
  if (!has_script(engine) || !places.container.empty() || !places.setup.empty()) return;
  const bool sglang = engine == EngineKind::sglang;
  const std::string& program = sglang ? places.sglang : places.python;
  if (!find_program(program).empty()) return;
  throw bad_input(fmt::format("{}: not found, but engine {} needs it; activate its environment first, or give {}",
                              program, name_of(engine), sglang ? "--sglang" : "--python"));
}

std::string engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                          const EnginePlaces& places) {
  const std::string version = plan.settings.engine_version.empty() ? "" : " " + plan.settings.engine_version;
  const std::string folder = working_folder(plan.settings);
  const std::string go = folder.empty() ? "" : fmt::format("cd {} || exit 2\n", shell_quote(folder));
  const std::string container = places.container.empty() ? "" : places.container + " \\\n  ";
  // No `set -u`: it would end the activation scripts of many environments.
  return fmt::format(
      "#!/bin/bash\n"
      "# One attempt of run {run} by {title}{version}, made by wansweep {wansweep_version}.\n"
      "# The script needs nothing else: you can run it by hand with bash.\n"
      "{setup}{profile}{sync}{go}{release}"
      "{container}{command} &\n"
      "engine=$!\n"
      "trap 'kill \"$engine\" 2>/dev/null' USR2 TERM\n"
      "wait \"$engine\"\n"
      "code=$?\n"
      "[ \"$code\" -eq 0 ] || exit \"$code\"\n"
      "# Convert the engine's files to traces and the completion record, which every attempt has.\n"
      "exec {wansweep} import --attempt {directory}\n",
      fmt::arg("run", run), fmt::arg("title", title_of(plan.settings.engine)), fmt::arg("version", version),
      fmt::arg("wansweep_version", wansweep::version), fmt::arg("setup", setup_lines(places)),
      fmt::arg("release", release_lines(plan, directory, places)), fmt::arg("profile", profile_lines(plan, directory)),
      fmt::arg("sync", sync_lines(plan, directory)), fmt::arg("go", go), fmt::arg("container", container),
      fmt::arg("command", quoted_command(engine_arguments(plan, directory, places))),
      fmt::arg("wansweep", shell_word(places.wansweep)), fmt::arg("directory", shell_word(directory)));
}

void write_engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                         const EnginePlaces& places) {
  write_new_file(directory + '/' + engine_script_name, engine_script(plan, run, directory, places));
}

Command script_command(const std::string& directory) {
  Command command;
  command.arguments = {"bash", directory + '/' + engine_script_name};
  command.stdout_file = directory + "/stdout.log";
  command.stderr_file = directory + "/stderr.log";
  command.new_files = true;
  return command;
}

}  // namespace wansweep
