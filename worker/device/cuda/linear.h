// Matrix products through cuBLASLt: y = activation(x w^T + bias), with the algorithm that was fastest when all were
// tried.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/cuda/algorithm_cache.h"
#include "worker/device/device.h"

namespace wansweep {

struct LinearShape {
  DType type = DType::f32;
  int64_t m = 0, n = 0, k = 0;
  bool bias = false;
  bool gelu = false;   // in the epilogue; bf16 only
  int alignment = 16;  // bytes, of all four operands
  auto operator<=>(const LinearShape&) const = default;
};

struct LinearOperands {
  const void* x = nullptr;
  const void* w = nullptr;
  const void* bias = nullptr;
  void* y = nullptr;
};

class Linear {
 public:
  // `gpu` names the device in the cache's keys. The cache must outlive this object.
  Linear(Device& device, cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache);
  ~Linear();
  Linear(const Linear&) = delete;
  Linear& operator=(const Linear&) = delete;

  void run(const LinearShape& shape, const LinearOperands& operands);

 private:
  struct Plan;
  const Plan& plan_for(const LinearShape& shape, const LinearOperands& operands);
  void describe(const LinearShape& shape, Plan& plan) const;
  std::vector<cublasLtMatmulAlgo_t> candidates(const LinearShape& shape, const Plan& plan) const;
  bool launch(const Plan& plan, const LinearOperands& operands) const;
  std::string key_of(const LinearShape& shape) const;

  cublasLtHandle_t handle_ = nullptr;
  cudaStream_t stream_;
  std::string gpu_;
  Buffer workspace_;
  AlgorithmCache& cache_;
  std::map<LinearShape, std::unique_ptr<Plan>> plans_;
};

}  // namespace wansweep
