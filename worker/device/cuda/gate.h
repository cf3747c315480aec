// The gate of the CUDA backend: a word in device memory that streams write and wait for (stream memory operations of
// the driver), so that neither the host nor a multiprocessor takes part. See worker/device/device.h.
#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

namespace wansweep {

class CudaGate {
 public:
  explicit CudaGate(cudaStream_t stream);  // any stream of the device; the gate is open at first
  ~CudaGate();
  CudaGate(const CudaGate&) = delete;
  CudaGate& operator=(const CudaGate&) = delete;

  void close(cudaStream_t by) { write(by, 0); }
  void open(cudaStream_t by) { write(by, 1); }
  void pass(cudaStream_t waits);

 private:
  void write(cudaStream_t by, cuuint32_t value);

  void* word_ = nullptr;
};

}  // namespace wansweep
