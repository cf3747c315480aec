// Sizes in bytes: units, alignment, and text for people.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace wansweep {

inline constexpr double giga = 1e9;  // of GB and GB/s
inline constexpr double mebibyte = 1024.0 * 1024.0;
inline constexpr double gibibyte = 1024.0 * mebibyte;

constexpr double to_gib(int64_t bytes) { return static_cast<double>(bytes) / gibibyte; }

// The alignment in bytes of every region of device memory: matrix libraries want it of their operands.
inline constexpr int64_t memory_alignment = 256;

constexpr int64_t align_up(int64_t bytes, int64_t alignment = memory_alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// "1340 MiB", "0.25 MiB"
inline std::string mebibytes(int64_t bytes) {
  return fmt::format("{:.12g} MiB", std::round(static_cast<double>(bytes) / mebibyte * 100) / 100);
}

}  // namespace wansweep
