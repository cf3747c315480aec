// The differences between the engines that can run a sweep's runs: the settings that each can follow, and its command.
// orchestrator/imports converts the files of an engine to traces.
//
// worker_command.h starts this project's worker. Any other engine is started by a script in the attempt's folder,
// command.sh, which needs nothing else, can be read before it runs, and is also what a Slurm job runs. Its last line
// calls `wansweep import --attempt`, which makes the traces and the completion record, so that all attempts end alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "schema/run_plan.h"

namespace wansweep {

inline constexpr const char* engine_script_name = "command.sh";

// Written into the attempt's folder by the script, just before SGLang starts: whether SGLang was told to wait for the
// device at each step's end, as it was really set: "SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=1"; and the release that
// SGLang says it is: "sglang_release=0.5.9", or unknown.
inline constexpr const char* engine_environment_name = "engine.env";
inline constexpr const char* sglang_release_name = "sglang_release";

// The places of the engines on the machine that runs them, from the command line or a cluster's profile.
struct EnginePlaces {
  std::string sglang = "sglang";        // the program
  std::string python = "python3";       // the Python of an environment that has torch and diffusers
  std::vector<std::string> setup = {};  // lines of shell before the engine: module load, source .../activate
  std::string container = {};           // words before the command: "apptainer exec --nv image.sif"
  std::string wansweep;                 // this program, absolute
};

// The default places: this program (diffusers_run.py is in its share folder).
EnginePlaces default_engine_places();

// Whether an attempt of this engine is started by its script.
bool has_script(EngineKind engine);

// Throws bad_input, with a line that begins with the setting to correct, when the run's engine cannot follow the
// settings: it does not have an offload mode, a flag or a value, or ignores a setting that is set. Returns one line for
// each thing that it does differently from the worker and that is not an error.
std::vector<std::string> check_engine(const RunPlan& plan);

// Throws bad_input when the engine's program is not on this machine. Does not check an engine in a container or after
// setup lines, which may provide it, nor the worker, which worker_command.h checks.
void check_engine_program(EngineKind engine, const EnginePlaces& places);

// The text of command.sh for an attempt in `directory` (absolute). `plan` has passed check_engine.
std::string engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                          const EnginePlaces& places);

// Writes command.sh, which must not exist yet. Throws Error(output).
void write_engine_script(const RunPlan& plan, const std::string& run, const std::string& directory,
                         const EnginePlaces& places);

// The process that runs the script, with its output in the attempt's stdout.log and stderr.log.
Command script_command(const std::string& directory);

}  // namespace wansweep
