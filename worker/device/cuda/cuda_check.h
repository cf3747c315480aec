// Checks around every library call: a failure throws an Error whose line says what failed, where and why.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include "base/call_check.h"
#include "base/error.h"

namespace wansweep {

[[noreturn]] void throw_failed(cudaError_t result, const char* call, const char* file, int line);
[[noreturn]] void throw_failed(cublasStatus_t result, const char* call, const char* file, int line);
[[noreturn]] void throw_failed(cudnnStatus_t result, const char* call, const char* file, int line);

// Every one of these libraries returns 0 for success.
template <typename Result>
void check_call(Result result, const char* call, const char* file, int line) {
  if (result != Result{}) throw_failed(result, call, file, line);
}

}  // namespace wansweep

#define cudaCheck(call) ::wansweep::check_call<cudaError_t>((call), #call, __FILE__, __LINE__)
#define cublasCheck(call) ::wansweep::check_call<cublasStatus_t>((call), #call, __FILE__, __LINE__)
#define cudnnCheck(call) ::wansweep::check_call<cudnnStatus_t>((call), #call, __FILE__, __LINE__)
