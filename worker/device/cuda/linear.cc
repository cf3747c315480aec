// The algorithm of a shape is chosen once: from the cache, or else the fastest of cuBLASLt's candidates on the real
// operands, which then goes to the cache, so that every rank and every later run uses the same algorithm and gets the
// same bits. Without a cache file, and for small products, the library's first candidate is used.
// Algorithms that split a sum among blocks are left out: their order of sums may change from run to run. The candidates
// depend on the alignment of the operands, which is therefore part of the shape. The pointer to the bias is part of
// cuBLASLt's description, and is set again for each launch.

#include "worker/device/cuda/linear.h"

#include <fmt/format.h>

#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/fastest.h"

namespace wansweep {

namespace {

constexpr int64_t workspace_bytes = int64_t{32} << 20;  // cuBLAS recommends this for Hopper
constexpr int most_candidates = 32;
// Smaller products, such as those outside blocks, together take 1 % of a forward with any algorithm: the library's
// first candidate is good enough.
constexpr double worth_trying = 3e10;

struct LayoutDeleter {
  void operator()(cublasLtMatrixLayoutOpaque_t* layout) const { cublasLtMatrixLayoutDestroy(layout); }
};
using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, LayoutDeleter>;

Layout make_layout(cudaDataType_t type, int64_t rows, int64_t columns) {
  cublasLtMatrixLayout_t layout = nullptr;
  cublasCheck(
      cublasLtMatrixLayoutCreate(&layout, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows));
  return Layout(layout);
}

struct DescDeleter {
  void operator()(cublasLtMatmulDescOpaque_t* desc) const { cublasLtMatmulDescDestroy(desc); }
};

struct PreferenceDeleter {
  void operator()(cublasLtMatmulPreferenceOpaque_t* preference) const { cublasLtMatmulPreferenceDestroy(preference); }
};

// An algorithm is eight opaque words, the same in every process with the same library.
std::string to_hex(const cublasLtMatmulAlgo_t& algorithm) {
  std::string text;
  for (const uint64_t word : algorithm.data) text += fmt::format("{:016x}", word);
  return text;
}

bool from_hex(const std::string& text, cublasLtMatmulAlgo_t* algorithm) {
  constexpr size_t digits = 16;
  if (text.size() != digits * std::size(algorithm->data)) return false;
  if (text.find_first_not_of("0123456789abcdef") != std::string::npos) return false;
  for (size_t i = 0; i < std::size(algorithm->data); ++i) {
    algorithm->data[i] = std::stoull(text.substr(i * digits, digits), nullptr, 16);
  }
  return true;
}

}  // namespace

struct Linear::Plan {
  std::unique_ptr<cublasLtMatmulDescOpaque_t, DescDeleter> desc;
  Layout x, w, y;
  cublasLtMatmulAlgo_t algorithm{};
};

Linear::Linear(Device& device, cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache)
    : stream_(stream), gpu_(gpu), workspace_(device.allocate(workspace_bytes, "cuBLASLt's workspace")), cache_(cache) {
  cublasCheck(cublasLtCreate(&handle_));
}

Linear::~Linear() { cublasLtDestroy(handle_); }

std::string Linear::key_of(const LinearShape& s) const {
  return fmt::format("{} cublas {} {} m {} n {} k {}{}{} aligned {} workspace {}", gpu_, cublasLtGetVersion(),
                     s.type == DType::f32 ? "f32" : "bf16", s.m, s.n, s.k, s.bias ? " bias" : "", s.gelu ? " gelu" : "",
                     s.alignment, workspace_bytes);
}

// Row-major y[m,n] = x[m,k] w[n,k]^T is column-major y'[n,m] = w' x' with w stored as [k,n] and transposed.
void Linear::describe(const LinearShape& s, Plan& plan) const {
  const cudaDataType_t type = s.type == DType::f32 ? CUDA_R_32F : CUDA_R_16BF;
  cublasLtMatmulDesc_t desc = nullptr;
  // f32 is computed in full f32: TF32 would be another compute type.
  cublasCheck(cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  plan.desc.reset(desc);
  const cublasOperation_t transposed = CUBLAS_OP_T;
  cublasCheck(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)));
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  if (s.bias) epilogue = s.gelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  if (!s.bias && s.gelu) epilogue = CUBLASLT_EPILOGUE_GELU;
  cublasCheck(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue)));
  plan.w = make_layout(type, s.k, s.n);
  plan.x = make_layout(type, s.k, s.m);
  plan.y = make_layout(type, s.n, s.m);
}

std::vector<cublasLtMatmulAlgo_t> Linear::candidates(const LinearShape& s, const Plan& plan) const {
  cublasLtMatmulPreference_t preference = nullptr;
  cublasCheck(cublasLtMatmulPreferenceCreate(&preference));
  const std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, PreferenceDeleter> owner(preference);
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    cublasCheck(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof(value)));
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(workspace_bytes));
  // Exclude algorithms that split sums: the order of their sums, and so the last bits, may change from run to run.
  set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE));
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    set(attribute, static_cast<uint32_t>(s.alignment));
  }
  std::array<cublasLtMatmulHeuristicResult_t, most_candidates> results{};
  int found = 0;
  cublasCheck(cublasLtMatmulAlgoGetHeuristic(handle_, plan.desc.get(), plan.w.get(), plan.x.get(), plan.y.get(),
                                             plan.y.get(), preference, most_candidates, results.data(), &found));
  std::vector<cublasLtMatmulAlgo_t> algorithms;
  for (int i = 0; i < found; ++i) {
    if (results[static_cast<size_t>(i)].state == CUBLAS_STATUS_SUCCESS) {
      algorithms.push_back(results[static_cast<size_t>(i)].algo);
    }
  }
  if (algorithms.empty()) {
    throw Error(ExitCode::internal, fmt::format("cuBLASLt knows no algorithm for {}", key_of(s)));
  }
  return algorithms;
}

bool Linear::launch(const Plan& plan, const LinearOperands& o) const {
  const float one = 1, zero = 0;
  return cublasLtMatmul(handle_, plan.desc.get(), &one, o.w, plan.w.get(), o.x, plan.x.get(), &zero, o.y, plan.y.get(),
                        o.y, plan.y.get(), &plan.algorithm, workspace_.data(), workspace_bytes,
                        stream_) == CUBLAS_STATUS_SUCCESS;
}

const Linear::Plan& Linear::plan_for(const LinearShape& shape, const LinearOperands& operands) {
  std::unique_ptr<Plan>& kept = plans_[shape];
  if (kept) return *kept;
  auto plan = std::make_unique<Plan>();
  describe(shape, *plan);
  if (shape.bias) {
    cublasCheck(cublasLtMatmulDescSetAttribute(plan->desc.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &operands.bias,
                                               sizeof(operands.bias)));
  }
  const double work = static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  const std::string key = key_of(shape);
  const std::optional<std::string> stored = cache_.find(key);
  if (!stored || !from_hex(*stored, &plan->algorithm)) {
    const std::vector<cublasLtMatmulAlgo_t> all = candidates(shape, *plan);
    size_t choice = 0;
    if (work >= worth_trying && !cache_.file().empty()) {
      // The candidates run on the real operands and write the real result, so trying them changes nothing.
      choice = fastest(stream_, all.size(), [&](size_t i) {
        plan->algorithm = all[i];
        return launch(*plan, operands);
      });
    }
    plan->algorithm = all[choice];
    if (!from_hex(cache_.store(key, to_hex(plan->algorithm)), &plan->algorithm)) {
      throw bad_input(fmt::format("{}: the line of {} holds no algorithm; remove the file", cache_.file(), key));
    }
  }
  kept = std::move(plan);
  return *kept;
}

void Linear::run(const LinearShape& shape, const LinearOperands& operands) {
  const Plan& plan = plan_for(shape, operands);
  if (shape.bias) {
    cublasCheck(cublasLtMatmulDescSetAttribute(plan.desc.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &operands.bias,
                                               sizeof(operands.bias)));
  }
  if (!launch(plan, operands)) {
    throw Error(ExitCode::internal, fmt::format("cuBLASLt: the product failed with the algorithm kept for {} in {}",
                                                key_of(shape), cache_.file()));
  }
}

}  // namespace wansweep
