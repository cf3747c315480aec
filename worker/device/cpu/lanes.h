#pragma once

namespace wansweep {

inline constexpr int lanes = 8;  // sums in a fixed number of lanes: vectorised, and in one order everywhere

}  // namespace wansweep
