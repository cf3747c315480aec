// What the check macros of C libraries have in common: a failed call becomes an Error whose line says which library,
// why, which call and where. MPI's macro is in base/mpi_check.h, CUDA's and its libraries' in worker/device/cuda (whose
// compiler does not take fmt's formats).
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
