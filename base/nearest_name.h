// "Did you mean": the known name that a misspelt one is nearest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wansweep {

// By edit distance, of at most a third of the name's length or 2; empty when none is that near.
std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace wansweep
