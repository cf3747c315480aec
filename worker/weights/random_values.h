// Normally distributed values that are the same on every platform, compiler and number of threads.
//
// Value i of a stream is a function of (seed, name, i) alone, so any range can be made anywhere:
//   start  = mix(seed XOR mix(fnv1a64(name)))
//   a, b   = mix(start + (2i+1) G), mix(start + (2i+2) G)     G = 0x9E3779B97F4A7C15, mix = SplitMix64's finaliser
//   s      = the sum of the eight 16-bit fields of a and b
//   value  = float(s - 262140) * float(scale / sqrt(8 (2^32 - 1) / 12))
// All but the last product is integer arithmetic, which no compiler or libm rounds its own way. A sum of eight uniform
// values is normal but for its tails: variance 1, excess kurtosis -0.15, and nothing beyond 4.9 standard deviations.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wansweep {

// Fills `out` with values first, first + 1, ... of the stream `name`.
void fill_normal(uint64_t seed, std::string_view name, int64_t first, std::span<float> out, float scale);

}  // namespace wansweep
