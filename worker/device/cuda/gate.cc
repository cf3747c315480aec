#include "worker/device/cuda/gate.h"

#include <fmt/format.h>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

// The driver's functions are looked up by name: the worker does not link libcuda, so that it starts without a driver
// and can say what is missing.
template <typename Function>
Function driver_call(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
#if CUDART_VERSION >= 13000
  cudaCheck(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result));
#else
  cudaCheck(cudaGetDriverEntryPoint(name, &found, cudaEnableDefault, &result));
#endif
  if (found == nullptr || result != cudaDriverEntryPointSuccess) {
    throw Error(ExitCode::device_unavailable,
                fmt::format("device: the driver has no function {}; a newer driver is needed", name));
  }
  return reinterpret_cast<Function>(found);
}

using StreamValue = CUresult (*)(CUstream, CUdeviceptr, cuuint32_t, unsigned);

void check(CUresult result, const char* call) {
  if (result == CUDA_SUCCESS) return;
  throw Error(ExitCode::device_unavailable,
              fmt::format("CUDA: {} failed with CUresult {}", call, static_cast<int>(result)));
}

}  // namespace

CudaGate::CudaGate(cudaStream_t stream) {
  cudaCheck(cudaMalloc(&word_, sizeof(cuuint32_t)));
  open(stream);
  cudaCheck(cudaStreamSynchronize(stream));
}

CudaGate::~CudaGate() { cudaFree(word_); }

void CudaGate::write(cudaStream_t by, cuuint32_t value) {
  static const auto call = driver_call<StreamValue>("cuStreamWriteValue32");
  check(call(by, reinterpret_cast<CUdeviceptr>(word_), value, 0), "cuStreamWriteValue32");
}

void CudaGate::pass(cudaStream_t waits) {
  static const auto call = driver_call<StreamValue>("cuStreamWaitValue32");
  check(call(waits, reinterpret_cast<CUdeviceptr>(word_), 1, CU_STREAM_WAIT_VALUE_EQ), "cuStreamWaitValue32");
}

}  // namespace wansweep
