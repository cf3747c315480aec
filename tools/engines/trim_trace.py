#!/usr/bin/env python3
"""A profiler's trace without what `wansweep import` does not read: operators, stacks, flows. For tests and for mailing.

    trim_trace.py trace.json.gz trimmed.json.gz
"""

import gzip
import json
import sys

KEPT = {"kernel", "gpu_memcpy", "gpu_memset", "gpu_user_annotation", "user_annotation"}
ARGUMENTS = {"bytes", "stream", "device", "Collective name", "In msg nelems", "dtype", "Group size"}


def opened(file, mode):
    return gzip.open(file, mode + "t") if file.endswith(".gz") else open(file, mode, encoding="utf-8")


def main():
    source, target = sys.argv[1:]
    with opened(source, "r") as file:
        trace = json.load(file)
    kept = [event for event in trace["traceEvents"] if event.get("cat") in KEPT]
    for event in kept:
        event["args"] = {name: value for name, value in event.get("args", {}).items() if name in ARGUMENTS}
    trace["traceEvents"] = kept
    with opened(target, "w") as file:
        json.dump(trace, file, separators=(",", ":"))
    print(f"{target}: {len(kept)} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
