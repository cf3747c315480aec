// Numbers and lists as words of a sentence.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

// "a", "a and b", "a, b and c".
std::string list_of(const std::vector<std::string>& words);
// "4.1 %", "20 %": without the sign.
std::string percent_text(double share);
// "41.6 s", "0.391 s", "44.2 ms".
std::string seconds_text(double seconds);
// "20 % longer", "2.5 times as long", "4.1 % less time", "as long": `other` beside `base`, both above 0.
std::string longer_text(double other, double base);
// The same for two ratios: "10 to 23 % longer", "1.8 to 2.8 times as long".
std::string range_text(double least, double most);

}  // namespace wansweep
