# CUBLAS_HOME, CUDNN_HOME and NCCL_HOME name the directories in which the CUDA backend's libraries are found, whichever of its
# names a library has there: cmake -DWANSWEEP_SOURCE_DIR=... -DWORK=SCRATCH -P find_for_cuda_test.cmake
file(REMOVE_RECURSE ${WORK})

set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
set(WANSWEEP_CUDA OFF)  # this defines the functions, and looks for nothing
include(${WANSWEEP_SOURCE_DIR}/worker/device/cuda/find.cmake)

# home(VARIABLE HEADER LIBRARY): a directory with both, which the environment variable names
function(home variable header library)
  file(WRITE ${WORK}/${variable}/include/${header} "")
  file(WRITE ${WORK}/${variable}/lib/${library} "")
  set(ENV{${variable}} ${WORK}/${variable})
endfunction()

function(expect_found name variable header library)
  if(NOT "${${name}_INCLUDE_DIR}" STREQUAL ${WORK}/${variable}/include)
    message(SEND_ERROR "${header} of ${variable} is not found: ${${name}_INCLUDE_DIR}")
  endif()
  if(NOT "${${name}_LIBRARY}" STREQUAL ${WORK}/${variable}/lib/${library})
    message(SEND_ERROR "${library} of ${variable} is not found: ${${name}_LIBRARY}")
  endif()
endfunction()

home(CUBLAS_HOME cublasLt.h libcublasLt.so.13)
home(CUDNN_HOME cudnn.h libcudnn.so.9)
home(NCCL_HOME nccl.h libnccl.so)
set(lacks)
wansweep_find_cuda_libraries()
expect_found(CUBLASLT CUBLAS_HOME cublasLt.h libcublasLt.so.13)
expect_found(CUDNN CUDNN_HOME cudnn.h libcudnn.so.9)
expect_found(NCCL NCCL_HOME nccl.h libnccl.so)

if(lacks)
  message(SEND_ERROR "missing: ${lacks}")
endif()

wansweep_find_for_cuda(ABSENT no_such_header.h NOWHERE_HOME no_such_library)
if(NOT "${lacks}" MATCHES "no_such_header.h and its library; NOWHERE_HOME may name its directory")
  message(SEND_ERROR "what is missing is not named with its variable: ${lacks}")
endif()
