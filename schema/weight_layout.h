// The place of each tensor of an expert: one contiguous, aligned buffer for each block, so that a block is one copy,
// and one for the weights outside blocks. Tensors that one matrix product reads together (q, k and v; cross k and v)
// lie side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/dtype.h"
#include "schema/model_config.h"

namespace wansweep {

struct TensorPlace {
  std::string name;  // name in the state dict, for a block's tensors without "blocks.N."
  std::vector<int64_t> shape;
  DType type = DType::f32;
  int64_t offset = 0;  // bytes, into the buffer

  int64_t values() const;
};

struct BufferLayout {
  std::vector<TensorPlace> tensors;
  int64_t bytes = 0;
};

// `type` is the type of matrices, biases and norm weights. Modulation tables, norm2 and the time embedder stay f32, as
// in diffusers.
BufferLayout block_layout(const ModelConfig& config, DType type);
BufferLayout other_layout(const ModelConfig& config, DType type);

// The addresses of the tensors inside a block's buffer.
struct BlockOffsets {
  int64_t table, attn1_qkv, attn1_qkv_bias, attn1_norm_q, attn1_norm_k, attn1_out, attn1_out_bias;
  int64_t norm2, norm2_bias;
  int64_t attn2_q, attn2_q_bias, attn2_kv, attn2_kv_bias, attn2_norm_q, attn2_norm_k, attn2_out, attn2_out_bias;
  int64_t ffn_in, ffn_in_bias, ffn_out, ffn_out_bias;
};
BlockOffsets block_offsets(const BufferLayout& block);

struct OtherOffsets {
  int64_t patch, patch_bias, time_in, time_in_bias, time_out, time_out_bias, time_proj, time_proj_bias;
  int64_t text_in, text_in_bias, text_out, text_out_bias, proj_out, proj_out_bias, table;
};
OtherOffsets other_offsets(const BufferLayout& other);

}  // namespace wansweep
