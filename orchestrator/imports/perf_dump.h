// Readers for the small files of engines: SGLang's --perf-dump-path, and the step record of diffusers_run.py.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"

namespace wansweep {

// SGLang's perf dump, of rank 0: the duration of each step (`denoise_steps_ms`, from 0.5.7 on) and stage, and the
// memory that PyTorch had reserved. The dump does not tell whether a step ends on the device (script_environment.h).
// Its commit_hash is an engine_version when it is a release, "0.5.9". Throws bad_input naming the file.
EngineTrace read_perf_dump(const std::string& file);

// A file of tools/engines/step_record.py. Throws bad_input naming the file.
EngineTrace read_step_record(const std::string& file);

}  // namespace wansweep
