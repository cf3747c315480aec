#include "worker/weights/random_values.h"

namespace wansweep {
namespace {

constexpr uint64_t golden = 0x9E3779B97F4A7C15;

constexpr uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

constexpr uint64_t fnv1a64(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// Adds pairs of 16-bit fields into two 32-bit fields.
constexpr uint64_t fold(uint64_t z) {
  constexpr uint64_t low = 0x0000FFFF0000FFFF;
  return (z & low) + (z >> 16 & low);
}

// `counter` is the counter of the first value.
[[gnu::always_inline]] inline void fill(uint64_t counter, float factor, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t at = counter + 2 * i * golden;
    const uint64_t pair = fold(mix(at + golden)) + fold(mix(at + 2 * golden));
    const auto total = static_cast<int32_t>(static_cast<uint32_t>(pair) + static_cast<uint32_t>(pair >> 32));
    out[i] = static_cast<float>(total - 262140) * factor;
  }
}

#if defined(__x86_64__)
// The same with eight 64-bit products at once: without it, 57 GB of weights take several seconds on all cores.
#if defined(__clang__)
[[gnu::target("avx512f,avx512dq,avx512vl")]]  // clang does not know the option, and uses narrower vectors
#else
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]]
#endif
void fill_avx512(uint64_t counter, float factor, std::span<float> out) {
  fill(counter, factor, out);
}
bool has_avx512() { return __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"); }
#else
void fill_avx512(uint64_t counter, float factor, std::span<float> out) { fill(counter, factor, out); }
bool has_avx512() { return false; }
#endif

}  // namespace

void fill_normal(uint64_t seed, std::string_view name, int64_t first, std::span<float> out, float scale) {
  const uint64_t start = mix(seed ^ mix(fnv1a64(name)));
  const auto factor = static_cast<float>(static_cast<double>(scale) * 1.8688123650118534e-05);
  const uint64_t counter = start + 2 * static_cast<uint64_t>(first) * golden;
  static const bool wide = has_avx512();
  if (wide) {
    fill_avx512(counter, factor, out);
  } else {
    fill(counter, factor, out);
  }
}

}  // namespace wansweep
