// `sglang generate` for one run: the flags that its release has, and what of our settings it cannot do.
#pragma once

#include <string>
#include <vector>

#include "schema/run_plan.h"

namespace wansweep {

// What SGLang is given where the settings have no prompt: a text encoder needs one, and what it says costs no time.
inline constexpr const char* default_prompt = "A cat walks on the grass, realistic style.";

// Throws bad_input, its line beginning with the setting; what it does in another way is a line of the result.
std::vector<std::string> check_sglang(const RunPlan& plan);

// The arguments after the program's name: {"generate", "--model-path", ...}. Files go into `directory`: perf.json
// (--perf-dump-path), the video, and, where the settings ask for a profile, the profiler's traces below profile/.
std::vector<std::string> sglang_arguments(const RunPlan& plan, const std::string& directory);

}  // namespace wansweep
