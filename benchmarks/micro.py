"""What single things cost in torchish: recording an op, importing, a first step cold and warm, memory of a long loop.

Each figure comes from a fresh process: ``python -m benchmarks micro``.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import table
from benchmarks.runner import environment_with_cache

ROOT = Path(__file__).resolve().parent.parent
RECORDED_OPS = 200
RECORDING_ROUNDS = 50
UNREAD_STEPS = 100_000


def fresh_process(probe: str, cache: str = "off") -> dict[str, Any]:
    """Run one of the probes below in a process of its own and give what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.micro", probe],
        cwd=ROOT,
        env=environment_with_cache(cache),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{probe} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def probe_recording() -> dict[str, Any]:
    """Microseconds to record one small op, forward only and with gradients; no window is run while the clock runs."""
    import torchish as torch

    b = torch.full((4, 4), 0.5)

    def record_ops(start: Any) -> Any:
        h = start
        for _ in range(RECORDED_OPS // 2):
            h = h * b + start
        return h

    found: dict[str, Any] = {}
    for name, requires_grad in (("record_us", False), ("record_with_grad_us", True)):
        start = torch.ones(4, 4, requires_grad=requires_grad)
        times = []
        for _ in range(RECORDING_ROUNDS):
            windows = torch.compiler.stats()["windows"]
            before = time.perf_counter()
            last = record_ops(start)
            times.append((time.perf_counter() - before) / RECORDED_OPS * 1e6)
            if torch.compiler.stats()["windows"] != windows:
                raise SystemExit(f"a window was run while {RECORDED_OPS} ops were recorded: the figure would be wrong")
            last.sum().item()
        found[name] = statistics.median(times)
    return found


def probe_import() -> dict[str, Any]:
    start = time.perf_counter()
    import jax.numpy

    middle = time.perf_counter()
    import torchish

    end = time.perf_counter()
    assert jax.numpy and torchish
    return {"jax_s": middle - start, "torchish_above_jax_s": end - middle}


def probe_first_step() -> dict[str, Any]:
    """Seconds from the import's end to the first loss of the small perceptron, and to the tenth."""
    from benchmarks.worker import first_step, import_backend, run_round

    module, _ = import_backend("torchish")
    job, first = first_step("torchish", module, "mlp-16-item")
    start = time.perf_counter()
    run_round(job, 9)
    ten = first["first_step_s"] + time.perf_counter() - start
    return {"first_step_s": first["first_step_s"], "ten_steps_s": ten, "compiles": module.compiler.stats()["compiles"]}


def resident_mib() -> float:
    """Resident memory now where the system tells it, else the peak so far."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def probe_unread_loop() -> dict[str, Any]:
    """Memory around 100,000 training steps whose results nobody reads; a hundredth of them go before, to warm up."""
    import torchish as torch
    from benchmarks.worker import compiler_stats

    w = torch.full((8,), 0.5, requires_grad=True)
    x = torch.linspace(-1.0, 1.0, 8)

    def steps(count: int) -> None:
        for _ in range(count):
            loss = (w * x - x).pow(2).sum()
            loss.backward()
            with torch.no_grad():
                w.sub_(w.grad, alpha=1e-4)
            w.grad = None

    steps(UNREAD_STEPS // 100)
    gc.collect()
    before, start = resident_mib(), time.perf_counter()
    steps(UNREAD_STEPS)
    seconds = time.perf_counter() - start
    gc.collect()
    return {
        "before_mib": before,
        "after_mib": resident_mib(),
        "step_us": seconds / UNREAD_STEPS * 1e6,
        "w": w[0].item(),
        "stats": compiler_stats(torch),
    }


PROBES: dict[str, Callable[[], dict[str, Any]]] = {
    "recording": probe_recording,
    "import": probe_import,
    "first-step": probe_first_step,
    "unread-loop": probe_unread_loop,
}


def measure() -> dict[str, Any]:
    """Run all probes; the first step with the persistent cache empty, then filled, then off."""
    found: dict[str, Any] = {"recording": fresh_process("recording")}
    imports = [fresh_process("import") for _ in range(5)]
    found["import"] = {key: statistics.median(one[key] for one in imports) for key in imports[0]}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        found["first step, cache empty"] = fresh_process("first-step", cache)
        found["first step, cache filled"] = fresh_process("first-step", cache)
    found["first step, cache off"] = fresh_process("first-step", "off")
    found["loop that reads nothing"] = fresh_process("unread-loop")
    return found


def as_table(found: dict[str, Any]) -> str:
    """One row for each figure; nested ones (the flushes by reason) are written out."""
    rows = [["probe", "figure", "value"]]

    def add(probe: str, prefix: str, figures: dict[str, Any]) -> None:
        for name, value in figures.items():
            if isinstance(value, dict):
                add(probe, f"{prefix}{name}.", value)
            else:
                text = f"{value:,.3f}" if isinstance(value, float) else str(value)
                rows.append([probe, prefix + name, text])

    for probe, figures in found.items():
        add(probe, "", figures)
    return table(rows)


if __name__ == "__main__":
    print(json.dumps(PROBES[sys.argv[1]]()))
