#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

void throw_failed(cudaError_t result, const char* call, const char* file, int line) {
  const ExitCode code = result == cudaErrorMemoryAllocation ? ExitCode::device_memory : ExitCode::device_unavailable;
  throw Error(code, call_failed("CUDA", cudaGetErrorString(result), call, file, line));
}

void throw_failed(cublasStatus_t result, const char* call, const char* file, int line) {
  throw Error(ExitCode::internal, call_failed("cuBLASLt", cublasLtGetStatusString(result), call, file, line));
}

void throw_failed(cudnnStatus_t result, const char* call, const char* file, int line) {
  throw Error(ExitCode::internal, call_failed("cuDNN", cudnnGetErrorString(result), call, file, line));
}

}  // namespace wansweep
