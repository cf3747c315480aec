// What differs between the programs that can run a sweep's runs: which settings each can follow, and the command that
// follows them. What an attempt leaves behind, and how that becomes a trace, is orchestrator/imports.
//
// This project's worker is started by worker_command.h. Any other engine is started by a script in the attempt's folder
// (command.sh): it stands alone, can be read before anything runs, and is what a Slurm job runs too. Its last line has
// `wansweep import --attempt` make the traces and the completion record, so that an attempt of any engine ends alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "schema/run_plan.h"

namespace wansweep {

inline constexpr const char* engine_script_name = "command.sh";

// Where the engines are, on the machine that runs them. From the command line, or a cluster's profile.
struct EnginePlaces {
  std::string sglang = "sglang";        // the program
  std::string python = "python3";       // of the environment that has torch and diffusers
  std::vector<std::string> setup = {};  // lines of shell before the engine: module load, source .../activate
  std::string container = {};           // words before the command: "apptainer exec --nv image.sif"
  std::string wansweep;                 // this program, absolute
};

// The places that are known without being told: this program. diffusers_run.py is in its share folder.
EnginePlaces default_engine_places();

// Whether an attempt of this engine is started by its script.
bool has_script(EngineKind engine);

// Throws bad_input, its line beginning with the setting to correct, when the run's engine cannot do what the settings
// say: an offload mode, a flag or a value that it does not have, or a setting that it would not follow. What it would
// do in another way than the worker, and is no error, is a line of the result.
std::vector<std::string> check_engine(const RunPlan& plan);

// Throws bad_input when the engine's program is not on this machine. Nothing for one in a container, or after lines of
// setup, which know better; nor for the worker, which worker_command.h checks.
void check_engine_program(EngineKind engine, const EnginePlaces& places);

// The text of command.sh for an attempt in `directory` (absolute). `plan` has passed check_engine.
std::string engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                          const EnginePlaces& places);

// Writes it. The folder must not have one yet. Throws Error(output).
void write_engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                         const EnginePlaces& places);

// The script as a process, with the attempt's stdout.log and stderr.log.
Command script_command(const std::string& directory);

}  // namespace wansweep
