#include "schema/weight_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wansweep {
namespace {

ModelConfig whole_a14b() {
  ModelConfig c;
  c.heads = 40, c.head_dim = 128, c.layers = 40, c.ffn_dim = 13824;
  c.in_channels = c.out_channels = 16, c.text_dim = 4096, c.freq_dim = 256;
  return c;
}

int64_t parameters(const BufferLayout& layout) {
  int64_t sum = 0;
  for (const TensorPlace& place : layout.tensors) sum += place.values();
  return sum;
}

TEST(WeightLayout, HoldsEveryParameterOfA14B) {
  EXPECT_EQ(parameters(block_layout(whole_a14b(), DType::bf16)), block_parameters(whole_a14b()));
  EXPECT_EQ(parameters(other_layout(whole_a14b(), DType::bf16)), other_parameters(whole_a14b()));
  EXPECT_EQ(block_parameters(whole_a14b()), 351'394'304);
  EXPECT_EQ(other_parameters(whole_a14b()), 232'719'424);
}

TEST(WeightLayout, PlacesTensorsApartAndAlignedUnlessTheyFormOneMatrix) {
  for (const BufferLayout& layout : {block_layout(whole_a14b(), DType::bf16), other_layout(whole_a14b(), DType::f32)}) {
    int64_t end = 0;
    for (const TensorPlace& place : layout.tensors) {
      EXPECT_GE(place.offset, end) << place.name;
      EXPECT_TRUE(place.offset % 256 == 0 || place.offset == end) << place.name;
      end = place.offset + place.values() * size_of(place.type);
    }
    EXPECT_GE(layout.bytes, end);
    EXPECT_EQ(layout.bytes % 256, 0);
  }
}

TEST(WeightLayout, PutsQAndKAndVSideBySide) {
  const BufferLayout block = block_layout(whole_a14b(), DType::bf16);
  const auto offset = [&](const char* name) {
    return std::find_if(block.tensors.begin(), block.tensors.end(), [&](auto& t) { return t.name == name; })->offset;
  };
  const int64_t matrix = int64_t{5120} * 5120 * 2;
  EXPECT_EQ(offset("attn1.to_k.weight"), offset("attn1.to_q.weight") + matrix);
  EXPECT_EQ(offset("attn1.to_v.weight"), offset("attn1.to_q.weight") + 2 * matrix);
  EXPECT_EQ(offset("attn1.to_v.bias"), offset("attn1.to_q.bias") + 2 * 5120 * 2);
  EXPECT_EQ(offset("attn2.to_v.weight"), offset("attn2.to_k.weight") + matrix);
  EXPECT_EQ(block_offsets(block).attn1_qkv, offset("attn1.to_q.weight"));
}

TEST(WeightLayout, KeepsInF32WhatDiffusersKeepsInF32) {
  for (const TensorPlace& place : block_layout(whole_a14b(), DType::bf16).tensors) {
    const bool kept = place.name == "scale_shift_table" || place.name.starts_with("norm2.");
    EXPECT_EQ(place.type, kept ? DType::f32 : DType::bf16) << place.name;
  }
  for (const TensorPlace& place : other_layout(whole_a14b(), DType::bf16).tensors) {
    const bool kept = place.name == "scale_shift_table" || place.name.starts_with("condition_embedder.time_embedder.");
    EXPECT_EQ(place.type, kept ? DType::f32 : DType::bf16) << place.name;
  }
}

}  // namespace
}  // namespace wansweep
