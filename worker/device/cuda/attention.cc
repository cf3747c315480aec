// For large shapes, the kernels of all libraries are tried on the real operands, and the name of the fastest goes to
// the cache, so that every rank and every later run uses the same kernel and gets the same bits. Without a cache file
// nothing is tried, since processes would not agree: the first library's own choice is used, as for small shapes. A
// kernel that the cache names but no library has is an error, because another kernel would silently change results. The
// available libraries are part of the key, so that a build with more of them chooses again; strides and the number of
// heads in one call are not.

#include "worker/device/cuda/attention.h"

#include <fmt/format.h>

#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/fastest.h"

namespace wansweep {

namespace {

// Smaller shapes take microseconds with any kernel.
constexpr double worth_trying = 1e10;

}  // namespace

std::string describe(const AttentionShape& s) {
  return fmt::format("{} x {} rows, {} heads x {}, strides {} {} {}{}", s.q_rows, s.kv_rows, s.heads, s.head_dim,
                     s.q_stride, s.k_stride, s.v_stride, s.lse ? ", with log-sum-exp" : "");
}

Attention::Attention(cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache, AttentionLibraries libraries)
    : stream_(stream), gpu_(gpu), cache_(cache), available_(std::move(libraries)) {}

Attention::~Attention() = default;

std::string Attention::versions() const {
  std::string text;
  for (const auto& library : available_.libraries) text += (text.empty() ? "" : ", ") + library->version();
  return text;
}

std::string Attention::describe_libraries() const {
  return versions() + (available_.left_out.empty() ? "" : fmt::format(" ({})", available_.left_out));
}

std::unique_ptr<AttentionKernel> Attention::prepare(const AttentionShape& shape, const std::string& name) {
  for (const auto& library : available_.libraries) {
    if (std::unique_ptr<AttentionKernel> kernel = library->prepare(shape, name)) return kernel;
  }
  return nullptr;
}

std::string Attention::choose(const std::string& key, const AttentionShape& shape, const AttentionOperands& operands) {
  const double work = static_cast<double>(shape.q_rows) * static_cast<double>(shape.kv_rows) * shape.heads *
                      static_cast<double>(shape.head_dim);
  const bool tries = work >= worth_trying && !cache_.file().empty();
  std::vector<std::string> names;
  std::vector<std::unique_ptr<AttentionKernel>> candidates;
  for (const auto& library : available_.libraries) {
    for (const std::string& name : library->kernels(shape)) {
      if (!tries && !candidates.empty()) break;
      std::unique_ptr<AttentionKernel> kernel = library->prepare(shape, name);
      if (!kernel) continue;
      names.push_back(name);
      candidates.push_back(std::move(kernel));
    }
  }
  if (candidates.empty()) throw Error(ExitCode::internal, fmt::format("no library has a kernel for {}", key));
  if (candidates.size() == 1) return names.front();
  // The candidates run on the real operands and write the real result, so trying them changes nothing.
  return names[fastest(stream_, candidates.size(), [&](size_t i) { return candidates[i]->launch(operands).empty(); })];
}

AttentionKernel& Attention::kernel_for(const AttentionShape& shape, const AttentionOperands& operands, int all_heads) {
  std::unique_ptr<AttentionKernel>& kept = kernels_[{shape, all_heads}];
  if (kept) return *kept;
  const std::string what = fmt::format("{} x {} rows, {} heads x {}{}", shape.q_rows, shape.kv_rows, all_heads,
                                       shape.head_dim, shape.lse ? ", with log-sum-exp" : "");
  const std::string key = fmt::format("{} attention {} by {}", gpu_, what, versions());
  std::optional<std::string> name = cache_.find(key);
  if (!name) name = cache_.store(key, choose(key, shape, operands));
  kept = prepare(shape, *name);
  if (!kept) {
    throw Error(ExitCode::internal,
                fmt::format("{}: no library has the kernel {} for {}; remove the file", cache_.file(), *name, key));
  }
  chosen_[what] = *name;
  return *kept;
}

void Attention::run(const AttentionShape& shape, const AttentionOperands& operands, int all_heads) {
  const std::string failure = kernel_for(shape, operands, all_heads).launch(operands);
  if (!failure.empty()) {
    throw Error(ExitCode::internal, fmt::format("attention of {}: {}", describe(shape), failure));
  }
}

AttentionLibraries open_attention_libraries(Device& device, cudaStream_t stream, const cudaDeviceProp& gpu) {
  AttentionLibraries found;
  found.libraries.push_back(make_cudnn_attention(device, stream));
  const bool hopper = gpu.major == 9 && gpu.minor == 0;
#ifdef WANSWEEP_FLASH_ATTENTION
  if (hopper) {
    found.libraries.push_back(make_flash_attention(device, stream, gpu.multiProcessorCount));
  } else {
    found.left_out =
        fmt::format("FlashAttention-3 needs compute capability 9.0, and this GPU has {}.{}", gpu.major, gpu.minor);
  }
#else
  if (hopper) found.left_out = "built without FlashAttention-3, which tools/gpu/fetch_flash_attention fetches";
#endif
  return found;
}

}  // namespace wansweep
