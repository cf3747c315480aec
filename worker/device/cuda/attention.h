// Attention in bf16. Of the kernels of all libraries, each shape uses the one that was fastest under load when they
// were tried.
#pragma once

#include <cuda_runtime.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "worker/device/cuda/algorithm_cache.h"
#include "worker/device/cuda/attention_library.h"

namespace wansweep {

struct AttentionLibraries {
  std::vector<std::unique_ptr<AttentionLibrary>> libraries;
  std::string left_out;  // why a library is missing; empty when none is
};

// The libraries that this build has for a GPU.
AttentionLibraries open_attention_libraries(Device& device, cudaStream_t stream, const cudaDeviceProp& gpu);

class Attention {
 public:
  // `gpu` names the device in the cache's keys. Of kernels that are equally fast, that of the earlier library is used;
  // the first library must support every shape. The cache must outlive this object.
  Attention(cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache, AttentionLibraries libraries);
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // kv_rows must be above 0, head_dim a multiple of 8. Shapes that differ only in their strides and in how many of
  // `all_heads` they attend with use the same kernel, so that heads give the same bits in any grouping.
  void run(const AttentionShape& shape, const AttentionOperands& operands, int all_heads);

  // "cudnn 91900, flash-attention 2.8.0.post2", followed in parentheses by the reason why a library is missing.
  std::string describe_libraries() const;
  // The chosen kernel of each shape.
  const std::map<std::string, std::string>& chosen() const { return chosen_; }

 private:
  AttentionKernel& kernel_for(const AttentionShape& shape, const AttentionOperands& operands, int all_heads);
  std::string choose(const std::string& key, const AttentionShape& shape, const AttentionOperands& operands);
  std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& name);
  std::string versions() const;

  cudaStream_t stream_;
  std::string gpu_;
  AlgorithmCache& cache_;
  AttentionLibraries available_;
  std::map<std::string, std::string> chosen_;
  std::map<std::pair<AttentionShape, int>, std::unique_ptr<AttentionKernel>>
      kernels_;  // destroyed before the libraries
};

}  // namespace wansweep
