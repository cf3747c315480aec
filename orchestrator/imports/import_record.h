// What an imported attempt records of where it came from, in its attempt.json, and the refusals that follow: a file
// belongs to one run of a sweep, and a repeat of a configuration is one run.
//   files      name, kind, SHA-256 and bytes of each file that it was made from
//   replaces   hashes of the settings that earlier imports of the run had; `wansweep gather` takes those of the newest
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/sweep/attempt_folder.h"

namespace wansweep {

// The member "files" of an attempt.json.
nlohmann::json record_of_files(const std::vector<EngineTrace>& files);

// The SHA-256 of the files that an attempt was made from, from its record or, where that has none, from its traces.
// Empty for an attempt of the worker.
std::set<std::string> sources_of(const std::string& attempt);

// The hashes of settings that a new import of the run replaces: those that its newest attempt replaces, and that
// attempt's own if it is of another configuration or repeat.
std::set<std::string> replaced_settings(const Attempt& newest, const std::string& config, int repeat);

// Throws bad_input when another run of the sweep has one of the files. `digests`: SHA-256 by file.
void refuse_files_of_others(const AttemptFolder& folder, const std::string& run,
                            const std::map<std::string, std::string>& digests);

// Throws bad_input when another run is this repeat of the configuration; the line names the next free repeat.
void refuse_repeat_of_others(const AttemptFolder& folder, const std::string& run, const std::string& config,
                             int repeat);

// Throws bad_input when the run is there under another repeat number.
void refuse_other_repeat(const Attempt& newest, int repeat);

}  // namespace wansweep
