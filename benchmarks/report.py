"""Print what was measured as a table, or write it as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.runner import BACKENDS, Comparison

TITLES = {"torch": "PyTorch", "torchish": "torchish", "jax": "JAX"}
COUNTED = ("compiles", "windows", "hits", "interpreted")
BUSY = 0.5


def table(rows: list[list[str]]) -> str:
    """Columns padded to their widest cell; the first is flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def shown(value: float | None, pattern: str) -> str:
    return "" if value is None else format(value, pattern)


def comparison_table(results: list[Comparison]) -> str:
    header = ["workload, microseconds a step", *TITLES.values(), "torchish/PyTorch", "torchish/JAX"]
    header += [f"first step {title}, s" for title in TITLES.values()]
    rows = [header]
    for result in results:
        found = [result.measured.get(backend) for backend in BACKENDS]
        row = [result.workload.title]
        row += [shown(one.step_us if one else None, ",.0f") for one in found]
        row += [shown(result.ratio("torchish", other), ".2f") for other in ("torch", "jax")]
        row += [shown(one.first_step_s if one else None, ".2f") for one in found]
        rows.append(row)
    return table(rows)


def compiler_table(results: list[Comparison]) -> str:
    """What torchish's compiler counted in each workload's process; empty where it told nothing."""
    rows = [["torchish's compiler", *COUNTED, "flushes by reason"]]
    for result in results:
        stats = result.measured["torchish"].stats if "torchish" in result.measured else {}
        if stats:
            flushes = stats.get("flushes", {})
            reasons = ", ".join(f"{reason} {count}" for reason, count in flushes.items() if count)
            rows.append([result.workload.title, *(str(stats.get(name, "")) for name in COUNTED), reasons])
    return table(rows) if len(rows) > 1 else ""


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("torch", "jax", "jaxlib", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def torch_threads() -> str:
    """What OMP_NUM_THREADS holds PyTorch to; the other backends do not read it."""
    return os.environ.get("OMP_NUM_THREADS", "its own choice")


def machine_load() -> float | None:
    """How many processes wanted a core in the last minute, where the system tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def load_note(load: float | None) -> str:
    """Thread pools that wait for each other (PyTorch's above all) are many times slower where cores are taken."""
    if load is None or load <= BUSY:
        return ""
    return f"WARNING: the machine was busy before the start (load {load:.1f}): these figures cannot be trusted"


def as_json(results: list[Comparison], rounds: int, load: float | None) -> dict[str, Any]:
    return {
        "versions": versions(),
        "load_before": load,
        "torch_threads": torch_threads(),
        "rounds": rounds,
        "workloads": [
            {
                "name": result.workload.name,
                "title": result.workload.title,
                "steps": result.workload.steps,
                "backends": {
                    backend: asdict(measured) | {"step_us": measured.step_us}
                    for backend, measured in result.measured.items()
                },
                "ratios": {
                    "torchish/torch": result.ratio("torchish", "torch"),
                    "torchish/jax": result.ratio("torchish", "jax"),
                },
                "failures": result.failures,
            }
            for result in results
        ],
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
