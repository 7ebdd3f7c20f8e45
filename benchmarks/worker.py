"""One backend with one workload in a process of its own, told over a pipe what to do.

    python -m benchmarks.worker torchish mlp-16 cpu

Each line of standard input is a JSON command (``{"run": 100}`` or ``{"stop": true}``), answered by one JSON line.
The first line that it prints, unasked, tells how long the import and the first step took.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any, TextIO

from benchmarks.workloads import WORKLOADS
from benchmarks.workloads.contract import Job

IMPORTS = {"torch": ["torch"], "torchish": ["torchish"], "jax": ["jax", "jax.numpy"]}


def choose_device(module: Any, device: str) -> None:
    """Let what a workload makes lie on ``device``, "cpu" or "cuda"."""
    if module.__name__ != "jax":
        module.set_default_device(device)
    elif device != "cpu" or module.default_backend() != "cpu":
        module.config.update("jax_default_device", module.devices(device)[0])


def import_backend(backend: str) -> tuple[Any, float]:
    """The backend's module and the seconds that its import took."""
    start = time.perf_counter()
    modules = [importlib.import_module(name) for name in IMPORTS[backend]]
    return modules[0], time.perf_counter() - start


def first_step(backend: str, module: Any, workload_name: str) -> tuple[Job, dict[str, float]]:
    """Build the workload and make one step; ``seconds`` is how long both took, up to the loss being read."""
    workload = WORKLOADS[workload_name]
    start = time.perf_counter()
    job = workload.jax_job() if backend == "jax" else workload.torch_job(module)
    job.step()
    loss = job.finish()
    return job, {"first_step_s": time.perf_counter() - start, "loss": loss}


def run_round(job: Job, steps: int) -> dict[str, float]:
    start = time.perf_counter()
    for _ in range(steps):
        job.step()
    loss = job.finish()
    return {"step_us": (time.perf_counter() - start) / steps * 1e6, "loss": loss}


def compiler_stats(module: Any) -> dict[str, Any]:
    """What torchish's compiler counted, without its log of compilations; empty for the other backends."""
    if module.__name__ != "torchish":
        return {}
    return {name: value for name, value in module.compiler.stats().items() if name != "compile_log"}


def serve(backend: str, workload_name: str, device: str, commands: TextIO, replies: TextIO) -> None:
    def reply(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    module, import_s = import_backend(backend)
    choose_device(module, device)
    job, first = first_step(backend, module, workload_name)
    reply({"import_s": import_s, **first})
    for line in commands:
        command = json.loads(line)
        if "run" not in command:
            break
        reply(run_round(job, command["run"]))
    reply({"stats": compiler_stats(module)})


if __name__ == "__main__":
    # Replies have a channel that a library's own printing cannot reach.
    channel, sys.stdout = sys.stdout, sys.stderr
    serve(*sys.argv[1:4], sys.stdin, channel)
