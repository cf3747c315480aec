// What people give in place of a model directory in diffusers layout: the hub's cache folder, the layout of Wan's own
// repository, one expert, a GGUF file, a checkpoint in a single file. Told by its files, for the one line that says
// what it is and what to give instead.
#pragma once

#include <string>

namespace wansweep {

// Of a regular file: throws bad_input when it is a known kind of checkpoint or a pointer of git-lfs. A config.json is
// neither.
void refuse_checkpoint(const std::string& file);

// Of a path where no model_index.json can be read: one line, naming the path. Never empty.
std::string why_no_model(const std::string& path);

}  // namespace wansweep
