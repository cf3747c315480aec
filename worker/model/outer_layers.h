// The layers of the Wan transformer outside its blocks: patch embedding, time and text conditioning, and the
// projection.
//
// `other` is one expert's weights outside blocks, as other_layout() places them. M tokens of the rank, T of text, D the
// width. All work is enqueued on the compute stream; the rank's main thread calls.
#pragma once

#include "schema/weight_layout.h"
#include "worker/model/context.h"

namespace wansweep {

class OuterLayers {
 public:
  explicit OuterLayers(const ModelContext& context);

  // workspace.tokens [M, patch values] to hidden [M, D]; and workspace.frequencies to the time conditioning in the
  // workspace.
  void embed_tokens(const std::byte* other, std::byte* hidden);
  // prompt [T, text_dim] to text [T, D].
  void embed_text(const std::byte* other, const void* prompt, std::byte* text);
  // hidden [M, D] to prediction [M, patch values].
  void project(const std::byte* other, const std::byte* hidden, void* prediction);

 private:
  Weight weight(const std::byte* base, int64_t offset) const { return {base + offset, w_.type}; }
  static Weight weight_f32(const void* data) { return {data, DType::f32}; }

  Ops& ops_;
  Workspace& w_;
  const ModelConfig& config_;
  int64_t rows_;
  int64_t text_rows_;
  int64_t dim_;
  OtherOffsets at_;
};

}  // namespace wansweep
