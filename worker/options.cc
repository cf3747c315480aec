#include "worker/options.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/terminal/unexpected_argument.h"
#include "schema/probe/request.h"
#include "schema/setting_fields.h"
#include "schema/version.h"

namespace wansweep {

namespace {

std::string flag_name(std::string_view field) {
  std::string name = "--" + std::string(field);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// The flag's text as JSON. Text that is not valid JSON stays a string, so that set_field says what is wrong with it.
nlohmann::json flag_value(const Field& field, const std::string& text) {
  if (field.is_text() || !field.choices().empty()) return text;
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  return parsed.is_discarded() ? nlohmann::json(text) : parsed;
}

}  // namespace

std::optional<WorkerOptions> read_options(int argc, char** argv, std::string* text) {
  CLI::App app(
      "wansweep-worker: runs Wan2.2's denoising loop, one rank for each device, and records what each rank did.");
  app.set_version_flag("--version", fmt::format("wansweep-worker {} ({})", version, git_revision));
  WorkerOptions options;
  app.add_option("--spec", options.spec_file, "file of settings (spec.json); flags override it");
  app.add_option("--out", options.out, "directory for rank-NNNN.h5, result.safetensors and completed.json")->required();
  app.add_flag("--quiet", options.quiet,
               "write nothing to standard output: neither how far the run is nor that it ended");
  std::optional<double> probe_seconds;
  app.add_option(
      "--probe", probe_seconds,
      "in place of running the loop, measure for so many seconds how long the pieces of its work take here;\n"
      "`wansweep probe` starts it so, and makes a machine's file of what it leaves (OUT/probe.json)");
  std::map<std::string_view, std::string> values;
  for (const Field& field : fields()) {
    std::string help(field.help);
    if (const auto choices = field.choices(); !choices.empty()) help += fmt::format(" ({})", fmt::join(choices, "|"));
    if (field.is_switch()) {
      app.add_flag_callback(
          flag_name(field.name), [&values, &field] { values[field.name] = "true"; }, help);
    } else {
      app.add_option_function<std::string>(
             flag_name(field.name), [&values, &field](const std::string& value) { values[field.name] = value; }, help)
          ->take_last();
    }
  }
  app.footer(
      "Example:\n  mpirun -n 4 wansweep-worker --model tests/reference/tiny-wan2.2-t2v \\\n"
      "      --inputs tests/reference/trajectory-shift12.safetensors --steps 27 --offload layerwise --out out/");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    *text =
        dynamic_cast<const CLI::CallForVersion*>(&success) != nullptr ? std::string(success.what()) + "\n" : app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw bad_input(refusal_of(app, error, "wansweep-worker --help"));
  }
  if (!options.spec_file.empty()) {
    const nlohmann::json spec = read_json_object(options.spec_file);
    options.spec = settings_from_json(spec, options.spec_file);
    if (values.empty() && spec.contains("plan")) options.planned = spec["plan"].dump();
    if (spec.contains("probe")) options.probe = spec["probe"].dump();
  }
  for (const auto& [name, value] : values) {
    set_field(options.spec, name, flag_value(*find_field(name), value), flag_name(name));
  }
  if (probe_seconds) options.probe = to_json(ProbeRequest{*probe_seconds, {options.spec}}).dump();
  return options;
}

}  // namespace wansweep
