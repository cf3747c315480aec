// One pass: the layers outside blocks run in outer_layers.cc, the blocks in block.cc, each between the streamer's
// acquire() and release(). The weights outside blocks are acquired once, before the first block.

#include "worker/model/transformer.h"

#include <algorithm>

#include "worker/model/tokens.h"
#include "worker/trace/nvtx.h"

namespace wansweep {

Transformer::Transformer(const ModelContext& context, Streamer& streamer)
    : device_(context.device),
      recorder_(context.recorder),
      w_(context.workspace),
      streamer_(streamer),
      outer_(context),
      block_(context),
      config_(context.config()),
      host_frequencies_(device_.allocate_host(int64_t{config_.freq_dim} * 4, HostMemory::pinned, "timestep embedding")),
      finish_(context.device) {}

void Transformer::set_timestep(int timestep) {
  const std::vector<float> embedding = timestep_embedding(timestep, config_.freq_dim);
  std::copy(embedding.begin(), embedding.end(), reinterpret_cast<float*>(host_frequencies_.data()));
  device_.copy_in(StreamId::compute, w_.frequencies, host_frequencies_.data(), host_frequencies_.bytes());
}

void Transformer::forward(int step, int expert, std::span<const Branch> branches) {
  const auto of_expert = static_cast<int8_t>(expert);
  const std::byte* other = streamer_.other(expert);
  const auto text_is_kept = [&](const Branch& branch) {
    return w_.text_cache != nullptr && text_of_expert_[static_cast<size_t>(branch.index)] == expert;
  };
  for (const Branch& branch : branches) {
    const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, {of_expert, branch.forward, -1});
    if (branch.prefix != Prefix::kept) outer_.embed_tokens(other, branch.hidden);
    if (!text_is_kept(branch)) outer_.embed_text(other, branch.prompt, branch.text);
    recorder_.end(span);
  }
  const int8_t pass = branches.size() > 1 ? forward_both : branches.front().forward;
  for (int16_t block = 0; block < config_.layers; ++block) {
    const NvtxRange range("block");
    const Use use{step, of_expert, pass, block};
    const std::byte* weights = streamer_.acquire(use);
    for (const Branch& branch : branches) {
      const Prefix prefix = block == 0 ? branch.prefix : Prefix::own;
      const TextKeys text = w_.text_keys(branch.index, block, text_is_kept(branch));
      block_.run(weights, {branch.hidden, branch.text, text}, prefix, {of_expert, branch.forward, block});
    }
    streamer_.release(use);
  }
  for (const Branch& branch : branches) {
    const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, {of_expert, branch.forward, -1});
    outer_.project(other, branch.hidden, branch.prediction);
    recorder_.end(span);
    text_of_expert_[static_cast<size_t>(branch.index)] = expert;
  }
}

}  // namespace wansweep
