"""``python -m benchmarks`` prints the table of workloads, ``python -m benchmarks micro`` what single things cost."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from benchmarks import micro
from benchmarks.report import (
    as_json,
    comparison_table,
    compiler_table,
    load_note,
    machine_load,
    torch_threads,
    versions,
    write_json,
)
from benchmarks.runner import BACKENDS, compare
from benchmarks.workloads import WORKLOADS


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["workloads", "micro"], default="workloads")
    parser.add_argument("--only", action="append", choices=list(WORKLOADS), help="a workload by name; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each backend, after one to warm up")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured to a file")
    parser.add_argument("--backends", default=",".join(BACKENDS), help="a part of torch,torchish,jax")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="where all backends compute")
    arguments = parser.parse_args()
    arguments.backends = [name for name in BACKENDS if name in arguments.backends.split(",")]
    if not arguments.backends or arguments.rounds < 1:
        parser.error("there must be at least one backend and one round")
    return arguments


def run_workloads(arguments: argparse.Namespace) -> int:
    load = machine_load()
    backends = [name for name in arguments.backends if importlib.util.find_spec(name)]
    results = []
    for name in arguments.only or WORKLOADS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        results.append(compare(WORKLOADS[name], backends, arguments.rounds, arguments.device))
    print(", ".join(f"{package} {version}" for package, version in versions().items()))
    print(
        f"on {arguments.device}; medians of {arguments.rounds} rounds, taken in turn; PyTorch's threads: {torch_threads()}"
    )
    if note := load_note(load):
        print(note)
    print()
    print(comparison_table(results))
    if counted := compiler_table(results):
        print(f"\n{counted}")
    failures = [f"{result.workload.name}: {text}" for result in results for text in result.failures.values()]
    for text in failures:
        print(f"\nFAILED {text}")
    if arguments.json:
        write_json(arguments.json, as_json(results, arguments.rounds, load))
    return 1 if failures else 0


def run_micro(arguments: argparse.Namespace) -> int:
    found = micro.measure()
    print(micro.as_table(found))
    if arguments.json:
        write_json(arguments.json, {"versions": versions(), "micro": found})
    return 0


if __name__ == "__main__":
    chosen = parsed_arguments()
    sys.exit(run_micro(chosen) if chosen.what == "micro" else run_workloads(chosen))
