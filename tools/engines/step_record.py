"""The step record: what one rank of a run by diffusers did and when, as `wansweep import` reads it.

A JSON object, steps-rank-NNNN.json, written once, at the end. Times are nanoseconds of the system's clock (UTC, 1970);
a step ends when the device has finished it (`synchronised`), and the next begins there. Bytes are what PyTorch's
allocator had reserved: what the device must have free for the run.
"""

import json
import os
import pathlib
import socket
import time

FORMAT = "wansweep-steps-1"


class StepRecorder:
    """Follows one pipeline call: begin() before it, step_ended() after each scheduler step."""

    def __init__(self, torch, device, boundary_timestep):
        self.torch, self.device, self.boundary_timestep = torch, device, boundary_timestep
        self.steps = []
        self.begun_ns = None
        self.range = None

    def begin(self):
        """At the first forward of a call; later ones change nothing."""
        if self.begun_ns is None:
            self._open(self._now())

    def step_ended(self, timestep, sigma, last):
        end = self._now()
        self.range.__exit__(None, None, None)
        high_noise = self.boundary_timestep is None or timestep >= self.boundary_timestep
        used, peak = self._memory()
        self.steps.append({"step": len(self.steps) + 1, "expert": 1 if high_noise else 2, "timestep": int(timestep),
                           "sigma": float(sigma), "start_ns": self.begun_ns, "end_ns": end, "device_used": used,
                           "device_peak": peak})
        if not last:
            self._open(end)

    def _open(self, now):
        self.begun_ns = now
        self.range = self.torch.profiler.record_function(f"denoising_step_{len(self.steps)}")
        self.range.__enter__()

    def _now(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)
        return time.time_ns()

    def _memory(self):
        """Bytes in use and the most so far; None where PyTorch does not count (the CPU)."""
        if self.device.type != "cuda":
            return None, None
        cuda = self.torch.cuda
        return cuda.memory_reserved(self.device), cuda.max_memory_reserved(self.device)


def environment_of(torch, diffusers, device):
    environment = {"torch": torch.__version__, "diffusers": diffusers.__version__, "pid": os.getpid()}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        environment |= {"cuda": torch.version.cuda,
                        "device": {"name": properties.name, "total_memory": properties.total_memory}}
    return environment


def write_record(directory, rank, ranks, settings, recorder, environment, latents_sha256):
    record = {"format": FORMAT, "engine": {"name": "diffusers", "version": environment["diffusers"]}, "rank": rank,
              "ranks": ranks, "host": socket.gethostname(), "synchronised": True, "environment": environment,
              "settings": settings, "steps": recorder.steps, "latents_sha256": latents_sha256}
    file = pathlib.Path(directory) / f"steps-rank-{rank:04d}.json"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(temporary, file)
    return file
