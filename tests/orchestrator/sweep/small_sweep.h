// A sweep of one configuration on the tiny model, planned, with a directory of its own.
#pragma once

#include <fmt/format.h>

#include <string>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {

class SmallSweep {
 public:
  SmallSweep() : plan(planned("steps = 3\n", 2)) { create_sweep_directory(path()); }

  static std::string text_of(const std::string& base, int repeats, const std::string& model = tiny_model()) {
    return fmt::format(
        "[sweep]\nname = \"s\"\nrepeats = {}\n[base]\nmodel = \"{}\"\nsize = \"64x64\"\nframes = 5\n"
        "device_memory = 0.5\n{}[matrix]\noffload = [\"resident\"]\n",
        repeats, model, base);
  }
  static std::string tiny_model() { return WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v"; }
  static Sweep parsed(const std::string& base, int repeats) { return parse_sweep(text_of(base, repeats), "s.toml"); }
  static Plan planned(const std::string& base, int repeats) {
    Plan made = make_plan(parsed(base, repeats));
    refuse_problems(made);
    return made;
  }

  std::string path() const { return directory / "sweep"; }
  const PlannedConfiguration& configuration() const { return plan.configurations.at(0); }
  std::string run(int repeat) const { return run_name(configuration(), repeat); }
  std::string folder(int repeat, int number) const {
    return fmt::format("{}/attempts/{}-a{}", path(), run(repeat), number);
  }

  TemporaryDirectory directory;
  Plan plan;
};

}  // namespace wansweep
