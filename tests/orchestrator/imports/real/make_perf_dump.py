#!/usr/bin/env python3
"""A perf dump written by SGLang's own code, taken from a wheel, of the steps of a step record.

    make_perf_dump.py sglang-0.5.9-py3-none-any.whl steps-rank-0000.json perf.json

SGLang's perf_logger.py is run with stand-ins for what it imports of SGLang, and is given the steps' times and memory that
tools/engines/diffusers_run.py measured. Needs torch, python-dateutil.
"""

import json
import pathlib
import sys
import types
import zipfile

MODULE = "sglang/multimodal_gen/runtime/utils/perf_logger.py"


def stand_in(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__path__ = []
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


class Logger:
    def __getattr__(self, _):
        return lambda *arguments, **keywords: None


def main():
    wheel, record_file, target = map(pathlib.Path, sys.argv[1:])
    for name in ("sglang", "sglang.multimodal_gen", "sglang.multimodal_gen.runtime", "sglang.multimodal_gen.runtime.utils"):
        stand_in(name, __file__=str(wheel))
    stand_in("sglang.multimodal_gen.envs", SGLANG_DIFFUSION_STAGE_LOGGING=True)
    stand_in("sglang.multimodal_gen.runtime.platforms", current_platform=None)
    stand_in("sglang.multimodal_gen.runtime.utils.logging_utils", CYAN="", RESET="", init_logger=lambda _: Logger(),
             _SGLDiffusionLogger=Logger, get_is_main_process=lambda: True)
    source = zipfile.ZipFile(wheel).read(MODULE)
    logger = stand_in("sglang.multimodal_gen.runtime.utils.perf_logger")
    exec(compile(source, MODULE, "exec"), logger.__dict__)

    record = json.loads(record_file.read_text())
    metrics = logger.RequestMetrics(request_id="diffusers-on-h100")
    for index, step in enumerate(record["steps"]):
        metrics.record_steps(index, (step["end_ns"] - step["start_ns"]) / 1e9)
    total = (record["steps"][-1]["end_ns"] - record["steps"][0]["start_ns"]) / 1e9
    metrics.record_stage("DenoisingStage", total)
    metrics.total_duration_ms = total * 1000
    mebi = 2 ** 20
    last = record["steps"][-1]
    metrics.record_memory_snapshot("after_DenoisingStage", logger.MemorySnapshot(
        allocated_mb=last["device_used"] / mebi, reserved_mb=last["device_used"] / mebi,
        peak_allocated_mb=last["device_peak"] / mebi, peak_reserved_mb=last["device_peak"] / mebi))
    logger.PerformanceLogger.dump_benchmark_report(str(target), metrics, meta={"prompt": "", "model": "model/config.json"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
