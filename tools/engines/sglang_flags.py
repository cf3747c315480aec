#!/usr/bin/env python3
"""The flags of `sglang generate` and the variables of its environment that wansweep sets, read from SGLang's wheels
without importing them.

    pip download --no-deps --only-binary=:all: -d WHEELS sglang==0.5.9
    tools/engines/sglang_flags.py WHEELS/*.whl -o tests/orchestrator/engines/sglang_flags.json

SGLang imports PyTorch when its argument parser is made, so the parser is not run: every add_argument("--NAME", ...) of
the modules that make it is found in their syntax trees. What is not written as a literal is not in the table: a flag
that is missing here may exist, one that is here does. A release knows a variable when the text of a module of its
runtime names it. The table has each wheel's name and SHA-256.
"""

import argparse
import ast
import hashlib
import json
import pathlib
import re
import sys
import zipfile

PACKAGE = "sglang/multimodal_gen/"
# What `generate` builds its parser from: ServerArgs, SamplingParams, and the configurations that ServerArgs adds.
MODULES = re.compile(
    PACKAGE + r"(runtime/server_args(\.py|/.*\.py|_.*\.py)|runtime/entrypoints/cli/(generate|utils)\.py|configs/.*\.py)$"
)

VARIABLES = ("SGLANG_DIFFUSION_SYNC_STAGE_PROFILING",)


def literal(node):
    """The value of a literal; a name as its text; None for what is neither."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else None


def flag_name(node, prefix):
    """"--NAME" of an argument; f"--{prefix_with_dot}NAME" has the function's own prefix, which ends with a dot."""
    if isinstance(node, ast.Constant) and str(node.value).startswith("--"):
        return node.value
    if isinstance(node, ast.JoinedStr) and len(node.values) == 3 and prefix is not None:
        start, inserted, rest = node.values
        name = getattr(getattr(inserted, "value", None), "id", "")
        if getattr(start, "value", "") == "--" and name == "prefix_with_dot":
            return f"--{prefix}.{rest.value}" if prefix else f"--{rest.value}"
    return None


def default_prefix(function):
    """What `prefix` is when the caller does not say."""
    arguments = function.args.args
    for argument, default in zip(arguments[len(arguments) - len(function.args.defaults):], function.args.defaults):
        if argument.arg == "prefix":
            return literal(default)
    return None


def calls(node, prefix=None):
    """Every call below a node, with the default prefix of the function that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = default_prefix(child) if isinstance(child, ast.FunctionDef) else prefix
        if isinstance(child, ast.Call):
            yield child, inner
        yield from calls(child, inner)


def flags_of(source: str) -> dict:
    flags = {}
    for node, prefix in calls(ast.parse(source)):
        if getattr(node.func, "attr", getattr(node.func, "id", "")) != "add_argument":
            continue
        names = [name for name in (flag_name(argument, prefix) for argument in node.args) if name]
        keywords = {k.arg: literal(k.value) for k in node.keywords if k.arg in ("action", "type", "choices", "nargs")}
        takes = {key: value for key, value in sorted(keywords.items()) if value is not None}
        for name in names:
            flags[name] = takes
    return flags


def read_wheel(path: pathlib.Path) -> dict:
    with zipfile.ZipFile(path) as wheel:
        flags, variables = {}, set()
        for name in sorted(wheel.namelist()):
            if MODULES.match(name):
                flags |= flags_of(wheel.read(name).decode())
            if name.startswith(PACKAGE + "runtime/") and name.endswith(".py"):
                source = wheel.read(name).decode()
                variables |= {variable for variable in VARIABLES if variable in source}
        if "--model-path" not in flags:
            raise SystemExit(f"{path}: has no `sglang generate`: no --model-path was found")
    return {
        "wheel": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "variables": sorted(variables),
        "flags": dict(sorted(flags.items())),
    }


def version_key(version: str):
    return [int(part) for part in re.findall(r"\d+", version)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    versions = {path.name.split("-")[1]: read_wheel(path) for path in arguments.wheels}
    ordered = {version: versions[version] for version in sorted(versions, key=version_key)}
    # A flag a line, so that two versions can be compared with diff.
    lines = []
    for version, table in ordered.items():
        flags = ",\n".join(f"      {json.dumps(flag)}: {json.dumps(takes)}" for flag, takes in table["flags"].items())
        lines.append(f'  "{version}": {{\n    "wheel": "{table["wheel"]}",\n    "sha256": "{table["sha256"]}",\n'
                     f'    "variables": {json.dumps(table["variables"])},\n    "flags": {{\n{flags}\n    }}\n  }}')
    arguments.output.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for version, table in ordered.items():
        print(f"{version}: {len(table['flags'])} flags")
    return 0


if __name__ == "__main__":
    sys.exit(main())
