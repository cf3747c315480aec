#include "stand_in_nvml.h"

#include <stdio.h>

struct StandInNvml stand_in_nvml;

struct Process {
  unsigned process;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

struct Memory {
  unsigned version;
  unsigned long long total, reserved, free, used;
};

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** device) {
  (void)bus;
  *device = &stand_in_nvml;
  return 0;
}

int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  (void)device;
  snprintf(name, length, "Stand-in GPU");
  return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, struct Process* processes) {
  const struct StandInNvml* listing = device;
  if (*count < listing->processes) return 7; /* too small */
  *count = listing->processes;
  for (unsigned i = 0; i < listing->processes; ++i) {
    processes[i].process = listing->process[i];
    processes[i].memory = listing->memory[i];
  }
  return 0;
}

int nvmlDeviceGetMemoryInfo_v2(void* device, struct Memory* memory) {
  const struct StandInNvml* listing = device;
  if (memory->version != (sizeof(struct Memory) | (2u << 24))) return 25; /* another version */
  memory->used = listing->used;
  return 0;
}
