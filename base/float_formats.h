// Conversions between f32 and the 16-bit formats, to nearest, ties to even; a NaN stays one.
#pragma once

#include <bit>
#include <cstdint>

namespace wansweep {

inline float bf16_to_f32(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

inline uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  const bool nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  return static_cast<uint16_t>(nan ? (bits >> 16 | 0x40) : rounded);
}

inline float f16_to_f32(uint16_t value) {
  const uint32_t sign = uint32_t{value} >> 15 << 31;
  const uint32_t rest = value & 0x7FFFU;
  if (rest >= 0x7C00) return std::bit_cast<float>(sign | 0x7F800000 | (rest & 0x3FF) << 13);
  // Shifted into f32's bit positions, the exponent is too small by 112. The product corrects that exactly, also for
  // subnormals.
  const float magnitude = std::bit_cast<float>(rest << 13) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

inline uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t rest = bits & 0x7FFFFFFF;
  uint32_t result = 0;
  if (rest > 0x7F800000) {
    result = 0x7E00;
  } else if (rest >= 0x477FF000) {  // rounds past the largest value, 65504
    result = 0x7C00;
  } else if (rest >= 0x38800000) {
    result = (rest - 0x38000000 + 0xFFF + (rest >> 13 & 1)) >> 13;
  } else {  // subnormal: adding 0.5 leaves the f16 fraction, rounded, in the last bits of the sum
    result = std::bit_cast<uint32_t>(std::bit_cast<float>(rest) + 0.5F) - 0x3F000000;
  }
  return static_cast<uint16_t>(sign | result);
}

}  // namespace wansweep
