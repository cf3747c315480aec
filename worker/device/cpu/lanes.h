// The width of the CPU backend's sums.
#pragma once

namespace wansweep {

inline constexpr int lanes = 8;  // sums are made in so many lanes: vectorised, and always in the same order

}  // namespace wansweep
