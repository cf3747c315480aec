// Recognises paths that are not a model directory in diffusers layout, by their files: the Hugging Face cache folder,
// the layout of Wan's own repository, one expert, a GGUF file, a checkpoint in a single file. The error line then says
// what the path is and what to give instead.
#pragma once

#include <string>

namespace wansweep {

// Throws bad_input when the regular file `file` is a known kind of checkpoint or a git-lfs pointer. A config.json is
// neither.
void refuse_checkpoint(const std::string& file);

// One line, never empty, on why no model_index.json can be read under `path`. It begins with the path.
std::string why_no_model(const std::string& path);

}  // namespace wansweep
