// How a number is stored, in weights and in activations.
#pragma once

#include <cstdint>

namespace wansweep {

enum class DType : uint8_t { f32, bf16, f16 };
constexpr int64_t size_of(DType type) { return type == DType::f32 ? 4 : 2; }

}  // namespace wansweep
