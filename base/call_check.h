// The error line that all check macros of C libraries write: which library failed, why, in which call, and where. The
// macro for MPI is in base/mpi_check.h; those for CUDA and its libraries are in worker/device/cuda (nvcc cannot compile
// fmt's formats, so this header does without).
#pragma once

#include <string>

namespace wansweep {

// "CUDA: out of memory (cudaMalloc(&data, bytes), device_memory.cc:34)"
inline std::string call_failed(const char* library, const std::string& why, const char* call, const char* file,
                               int line) {
  const std::string path(file);
  return std::string(library) + ": " + why + " (" + call + ", " + path.substr(path.rfind('/') + 1) + ":" +
         std::to_string(line) + ")";
}

}  // namespace wansweep
