// "Did you mean": the known name that a misspelt one is nearest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wansweep {

// The known name with the smallest edit distance to `name`, at most 2 or a third of its length; empty when no known
// name is that near.
std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known);

// "; did you mean NAME?" with that name; empty when no known name is that near.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace wansweep
