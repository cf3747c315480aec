# What the CUDA backend needs. Sets WANSWEEP_HAVE_CUDA, and says what is left out and why. Included by the top, since a
# language is enabled for all directories or for none.
option(WANSWEEP_CUDA "the CUDA backend, where nvcc, cuDNN, NCCL and cudnn-frontend are found" ON)
set(CUDNN_FRONTEND_INCLUDE_DIR "" CACHE PATH "where cudnn_frontend.h is; tools/gpu/fetch_cudnn_frontend unpacks it")
set(WANSWEEP_HAVE_CUDA OFF)

# Adds to WANSWEEP_CUDA_LACKS when a library or header is not found.
macro(wansweep_cuda_needs what variable)
  if(NOT ${variable})
    list(APPEND WANSWEEP_CUDA_LACKS ${what})
  endif()
endmacro()

if(NOT WANSWEEP_BUILD_WORKER OR NOT WANSWEEP_CUDA)
  message(STATUS "CUDA backend: not asked for")
elseif(WANSWEEP_SANITIZE)
  message(STATUS "CUDA backend: left out, sanitizers and CUDA's address space do not go together")
else()
  set(WANSWEEP_CUDA_LACKS)
  find_package(CUDAToolkit 12.4 QUIET)
  wansweep_cuda_needs("the CUDA toolkit (nvcc) 12.4 or newer" CUDAToolkit_NVCC_EXECUTABLE)
  find_path(CUDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV CUDNN_HOME PATH_SUFFIXES include)
  find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${CUDAToolkit_LIBRARY_DIR} ENV CUDNN_HOME PATH_SUFFIXES lib lib64)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV NCCL_HOME PATH_SUFFIXES include)
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${CUDAToolkit_LIBRARY_DIR} ENV NCCL_HOME PATH_SUFFIXES lib lib64)
  wansweep_cuda_needs("cuDNN 9's cudnn.h" CUDNN_INCLUDE_DIR)
  wansweep_cuda_needs("cuDNN 9's library" CUDNN_LIBRARY)
  wansweep_cuda_needs("nccl.h" NCCL_INCLUDE_DIR)
  wansweep_cuda_needs("NCCL's library" NCCL_LIBRARY)
  find_path(CUDNN_FRONTEND_HEADERS cudnn_frontend.h
            HINTS ${CUDNN_FRONTEND_INCLUDE_DIR} ${PROJECT_SOURCE_DIR}/build/cudnn-frontend/include
                  ${PROJECT_SOURCE_DIR}/.carry/cudnn-frontend/include)
  wansweep_cuda_needs("cudnn-frontend's headers (tools/gpu/fetch_cudnn_frontend)" CUDNN_FRONTEND_HEADERS)
  if(WANSWEEP_CUDA_LACKS)
    list(JOIN WANSWEEP_CUDA_LACKS ", " WANSWEEP_CUDA_LACKS_TEXT)
    message(STATUS "CUDA backend: left out, not found: ${WANSWEEP_CUDA_LACKS_TEXT}")
  else()
    set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      # Machine code for Hopper, and PTX for what comes after it; A100 and L40S: -DCMAKE_CUDA_ARCHITECTURES="80;89".
      set(CMAKE_CUDA_ARCHITECTURES 90)
    endif()
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25.1 does not know that nvcc speaks C++20
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # named as a library of wansweep_cuda's: one shared runtime for all of it
    if(CCACHE)
      set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
    endif()
    set(WANSWEEP_HAVE_CUDA ON)
    message(STATUS "CUDA backend: CUDA ${CUDAToolkit_VERSION}, cuDNN ${CUDNN_LIBRARY}, NCCL ${NCCL_LIBRARY}, "
                   "cudnn-frontend ${CUDNN_FRONTEND_HEADERS}")
  endif()
endif()
