"""Measure workloads: one process for each backend, kept alive, rounds taken in turn, medians over the rounds."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.workloads.contract import Workload

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = ("torch", "torchish", "jax")
LOSS_RTOL = 1e-2
PAUSE_S = 0.05  # between rounds: the last backend's thread pool stops spinning


def environment_with_cache(setting: str) -> dict[str, str]:
    """This process's environment with torchish's persistent cache moved (or ``off``), and none set for JAX itself."""
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    return {**kept, "TORCHISH_CACHE_DIR": setting}


class WorkerFailed(Exception):
    """The worker ended early; the message ends with what it wrote."""


@dataclass
class Measured:
    """What one backend did with one workload. Times of a step are in microseconds, one for each round."""

    import_s: float
    first_step_s: float
    rounds_us: list[float] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def step_us(self) -> float:
        return statistics.median(self.rounds_us)


class Worker:
    """The other end of ``benchmarks.worker``."""

    def __init__(self, backend: str, workload: str, device: str, cache: str) -> None:
        self.backend = backend
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", backend, workload, device],
            cwd=ROOT,
            env=environment_with_cache(cache),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        raise WorkerFailed(f"{self.backend}: {self.errors.read().strip()[-2000:]}")

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        return self.receive()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@dataclass
class Comparison:
    """A workload under several backends; ``failures`` tells of those that ended early or computed something else."""

    workload: Workload
    measured: dict[str, Measured] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def ratio(self, above: str, below: str) -> float | None:
        if above not in self.measured or below not in self.measured:
            return None
        return self.measured[above].step_us / self.measured[below].step_us


def compare(workload: Workload, backends: list[str], rounds: int, device: str) -> Comparison:
    """First steps one after the other, a round to warm up, then the rounds in turn."""
    result = Comparison(workload)
    with contextlib.ExitStack() as stack:
        # An empty folder: torchish's first step compiles, as in a user's first run.
        cache = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        workers: dict[str, Worker] = {}
        losses: dict[str, list[float]] = {}

        def attempt(backend: str, **command: Any) -> dict[str, Any] | None:
            worker = workers[backend]
            try:
                message = worker.ask(**command) if command else worker.receive()
            except WorkerFailed as failure:
                result.failures[backend] = str(failure)
                result.measured.pop(backend, None)
                del workers[backend]
                return None
            if "loss" in message:
                losses[backend].append(message["loss"])
            return message

        for backend in backends:
            workers[backend], losses[backend] = Worker(backend, workload.name, device, cache), []
            stack.callback(workers[backend].close)
            if first := attempt(backend):
                result.measured[backend] = Measured(first["import_s"], first["first_step_s"])
        for round_number in range(rounds + 1):
            for backend in list(workers):
                message = attempt(backend, run=workload.steps)
                if message and round_number > 0:
                    result.measured[backend].rounds_us.append(message["step_us"])
                time.sleep(PAUSE_S)
        for backend in list(workers):
            if message := attempt(backend, stop=True):
                result.measured[backend].stats = message["stats"]
        check_losses(result, losses)
    return result


def check_losses(result: Comparison, losses: dict[str, list[float]]) -> None:
    """All backends started alike, so their losses agree after each round, or one did other work."""
    done = [backend for backend in BACKENDS if backend in result.measured]
    for backend in done:
        reference = done[0]
        pairs = zip(losses[backend], losses[reference], strict=True)
        if not all(math.isclose(*pair, rel_tol=LOSS_RTOL, abs_tol=1e-3) for pair in pairs):
            result.failures[backend] = (
                f"{backend}: losses {losses[backend]} differ from {reference}'s {losses[reference]}"
            )
