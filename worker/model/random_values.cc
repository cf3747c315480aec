#include "worker/model/random_values.h"

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

// Adds neighbouring 16-bit fields into two 32-bit ones.
constexpr uint64_t fold(uint64_t z) {
  constexpr uint64_t low = 0x0000FFFF0000FFFF;
  return (z & low) + (z >> 16 & low);
}

}  // namespace

void fill_normal(uint64_t seed, std::string_view name, int64_t first, std::span<float> out, float scale) {
  const uint64_t start = mix(seed ^ mix(fnv1a64(name)));
  const auto factor = static_cast<float>(static_cast<double>(scale) * 1.8688123650118534e-05);
  uint64_t counter = start + 2 * static_cast<uint64_t>(first) * golden;
  for (float& value : out) {
    const uint64_t a = mix(counter + golden);
    const uint64_t b = mix(counter += 2 * golden);
    const uint64_t pair = fold(a) + fold(b);
    const auto total = static_cast<int32_t>(static_cast<uint32_t>(pair) + static_cast<uint32_t>(pair >> 32));
    value = static_cast<float>(total - 262140) * factor;
  }
}

}  // namespace wansweep
