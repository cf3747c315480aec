// The command `sglang generate` for a run, with the flags of its release, and the check that it can follow the
// settings.
#pragma once

#include <string>
#include <vector>

#include "schema/run_plan.h"

namespace wansweep {

// The prompt for SGLang when the settings have none: its text encoder needs one, and the text does not change the time.
inline constexpr const char* default_prompt = "A cat walks on the grass, realistic style.";

// Throws bad_input with a line that begins with the setting. Returns a line for each thing that SGLang does
// differently.
std::vector<std::string> check_sglang(const RunPlan& plan);

// The arguments after the program's name: {"generate", "--model-path", ...}. Files go into `directory`: perf.json
// (--perf-dump-path), the video, and, where the settings ask for a profile, the profiler's traces below profile/.
std::vector<std::string> sglang_arguments(const RunPlan& plan, const std::string& directory);

}  // namespace wansweep
