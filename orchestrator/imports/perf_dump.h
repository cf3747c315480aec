// The small files of engines: SGLang's --perf-dump-path, the step record of diffusers_run.py, and SGLang's log.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"

namespace wansweep {

// SGLang's perf dump: of rank 0; how long each step took (`denoise_steps_ms`, from 0.5.7 on), each stage, and what
// memory PyTorch had reserved. The steps' ends are where the host was, which waits for the device only with
// SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=1: the dump does not say. Throws bad_input naming the file.
EngineTrace read_perf_dump(const std::string& file);

// tools/engines/step_record.py. Throws bad_input naming the file.
EngineTrace read_step_record(const std::string& file);

// The lines of SGLang's log on the denoising stage: what it took, and the average of a step. No step's own time is
// among them, so a log makes no rows, and stands in the environment of a run that has other files. Throws bad_input
// naming the file when there are no such lines.
EngineTrace read_engine_log(const std::string& file);

}  // namespace wansweep
