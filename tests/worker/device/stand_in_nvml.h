// A library with the functions of NVML that say who uses a GPU, and what they answer.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

struct StandInNvml {
  unsigned processes;  // at most 4
  unsigned process[4];
  unsigned long long memory[4];  // all bits set: not known
  unsigned long long used;
};

#ifdef __cplusplus
}
#endif
