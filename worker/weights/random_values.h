// Normally distributed values that are the same on every platform, compiler and number of threads.
//
// Value i of a stream is a function of only (seed, name, i), so any range can be computed anywhere:
//   start  = mix(seed XOR mix(fnv1a64(name)))
//   a, b   = mix(start + (2i+1) G), mix(start + (2i+2) G)     G = 0x9E3779B97F4A7C15, mix = SplitMix64's finaliser
//   s      = the sum of the eight 16-bit fields of a and b
//   value  = float(s - 262140) * float(scale / sqrt(8 (2^32 - 1) / 12))
// All but the last product is integer arithmetic, which gives the same result with every compiler and library. A sum of
// eight uniform values is close to normal: variance 1, excess kurtosis -0.15, nothing beyond 4.9 standard deviations.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wansweep {

// Fills `out` with values number first, first + 1, ... of the stream `name`. Any thread may call it.
void fill_normal(uint64_t seed, std::string_view name, int64_t first, std::span<float> out, float scale);

}  // namespace wansweep
