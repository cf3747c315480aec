# What the CUDA backend needs. Sets WANSWEEP_HAVE_CUDA, and says in one line what was found or what is left out and why.
# Included by the top, since a language is enabled for all directories or for none.
set(WANSWEEP_CUDA AUTO CACHE STRING "the CUDA backend: AUTO takes it where all of it is found, ON insists, OFF leaves it out")
set_property(CACHE WANSWEEP_CUDA PROPERTY STRINGS AUTO ON OFF)
set(WANSWEEP_CUDNN_FRONTEND "" CACHE PATH "directory with include/cudnn_frontend.h; tools/gpu/fetch_cudnn_frontend makes it")
set(WANSWEEP_CUDNN_FRONTEND_OLDEST 1.18)
set(WANSWEEP_FLASH_ATTENTION "" CACHE PATH
    "directory of FlashAttention's sources; tools/gpu/fetch_flash_attention makes it")
set(WANSWEEP_HAVE_CUDA OFF)

# wansweep_find_for_cuda(NAME HEADER HOME_VARIABLE LIBRARY...)
# Finds a library's header and the library itself, by the first of its names that is there: under the environment variable
# HOME_VARIABLE (a Python package's directory will do), in the toolkit, or where the system has it. Adds to `lacks` what
# is missing.
macro(wansweep_find_for_cuda name header home_variable)
  find_path(${name}_INCLUDE_DIR ${header} HINTS ENV ${home_variable} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
  find_library(${name}_LIBRARY NAMES ${ARGN} HINTS ENV ${home_variable} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
  if(NOT ${name}_INCLUDE_DIR OR NOT ${name}_LIBRARY)
    list(APPEND lacks "${name} (${header} and its library; ${home_variable} may name its directory)")
  endif()
endmacro()

macro(wansweep_find_cuda_libraries)
  wansweep_find_for_cuda(CUBLASLT cublasLt.h CUBLAS_HOME cublasLt libcublasLt.so.13 libcublasLt.so.12)
  wansweep_find_for_cuda(CUDNN cudnn.h CUDNN_HOME cudnn libcudnn.so.9)
  wansweep_find_for_cuda(NCCL nccl.h NCCL_HOME nccl libnccl.so.2)
endmacro()

# FlashAttention's kernels for compute capability 9.0, which are optional: sets WANSWEEP_FLASH_ATTENTION_DIR and
# WANSWEEP_FLASH_ATTENTION_VERSION where their sources are and code for 9.0 is wanted.
function(wansweep_find_flash_attention)
  find_path(FLASH_ATTENTION_DIR version HINTS ${WANSWEEP_FLASH_ATTENTION} ${PROJECT_SOURCE_DIR}/build/flash-attention
            NO_DEFAULT_PATH)
  if(NOT FLASH_ATTENTION_DIR)
    message(NOTICE "CUDA backend: attention by cuDNN alone; FlashAttention-3's sources were not found "
                   "(tools/gpu/fetch_flash_attention fetches them)")
  elseif(NOT "${CMAKE_CUDA_ARCHITECTURES}" MATCHES "90")
    message(NOTICE "CUDA backend: attention by cuDNN alone; FlashAttention-3 is for the architecture 90, not "
                   "${CMAKE_CUDA_ARCHITECTURES}")
  else()
    file(STRINGS ${FLASH_ATTENTION_DIR}/version version)
    message(NOTICE "CUDA backend: attention by cuDNN and FlashAttention ${version}")
    set(WANSWEEP_FLASH_ATTENTION_VERSION ${version} PARENT_SCOPE)
    set(WANSWEEP_FLASH_ATTENTION_DIR ${FLASH_ATTENTION_DIR} PARENT_SCOPE)
  endif()
endfunction()

function(wansweep_find_cuda)
  set(lacks)
  find_package(CUDAToolkit 12.4 QUIET)
  if(NOT CUDAToolkit_NVCC_EXECUTABLE)
    list(APPEND lacks "the CUDA toolkit (nvcc) 12.4 or newer")
  endif()
  wansweep_find_cuda_libraries()
  find_path(CUDNN_FRONTEND_INCLUDE_DIR cudnn_frontend.h
            HINTS ${WANSWEEP_CUDNN_FRONTEND} ${WANSWEEP_BUNDLE}/cudnn-frontend ${PROJECT_SOURCE_DIR}/build/cudnn-frontend PATH_SUFFIXES include)
  set(frontend "cudnn-frontend ${WANSWEEP_CUDNN_FRONTEND_OLDEST} or newer (tools/gpu/fetch_cudnn_frontend fetches it)")
  if(NOT CUDNN_FRONTEND_INCLUDE_DIR)
    list(APPEND lacks "${frontend}")
  else()
    file(READ ${CUDNN_FRONTEND_INCLUDE_DIR}/cudnn_frontend_version.h text)
    string(REGEX MATCH "FRONTEND_MAJOR_VERSION ([0-9]+).*FRONTEND_MINOR_VERSION ([0-9]+)" matched "${text}")
    set(frontend_version ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
    if(NOT matched OR frontend_version VERSION_LESS WANSWEEP_CUDNN_FRONTEND_OLDEST)
      list(APPEND lacks "${frontend}, not ${frontend_version}")
    endif()
  endif()
  if(lacks)
    list(JOIN lacks "; " lacks)
    if(WANSWEEP_CUDA STREQUAL AUTO)
      message(NOTICE "CUDA backend: left out, not found: ${lacks}")
    else()
      message(FATAL_ERROR "CUDA backend: WANSWEEP_CUDA is ON, but not found: ${lacks}")
    endif()
    return()
  endif()
  message(NOTICE "CUDA backend: CUDA ${CUDAToolkit_VERSION}, cudnn-frontend ${frontend_version}, ${CUBLASLT_LIBRARY}, "
                 "${CUDNN_LIBRARY}, ${NCCL_LIBRARY}")
  set(WANSWEEP_HAVE_CUDA ON PARENT_SCOPE)
  set(WANSWEEP_NVCC ${CUDAToolkit_NVCC_EXECUTABLE} PARENT_SCOPE)
endfunction()

if(NOT WANSWEEP_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "WANSWEEP_CUDA is ${WANSWEEP_CUDA}; AUTO, ON or OFF is needed")
elseif(NOT WANSWEEP_BUILD_WORKER OR WANSWEEP_CUDA STREQUAL OFF)
  message(STATUS "CUDA backend: left out, not asked for")
elseif(WANSWEEP_SANITIZE)
  message(STATUS "CUDA backend: left out, sanitizers and CUDA's address space do not go together")
else()
  wansweep_find_cuda()
endif()

if(WANSWEEP_HAVE_CUDA)
  find_package(CUDAToolkit 12.4 QUIET)
  if(NOT CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${WANSWEEP_NVCC})
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    # Machine code for Hopper, and PTX for what comes after it; A100 and L40S: -DCMAKE_CUDA_ARCHITECTURES="80;89".
    set(CMAKE_CUDA_ARCHITECTURES 90)
  endif()
  enable_language(CUDA)
  wansweep_find_flash_attention()
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know of it for the nvcc of CUDA 13
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # named as a library of wansweep_cuda's: one shared runtime for all of it
  if(CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
  endif()
endif()
