"""Run a script that imports torch, under torchish or under real PyTorch, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = {"torchish": ["-m", "torchish", "run"], "torch": []}
TIMEOUT_S = 300


def run_script(backend: str, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The finished process; its output is text. Runs in the repository's root."""
    return subprocess.run(
        [sys.executable, *BACKENDS[backend], str(script), *arguments],
        cwd=ROOT,
        # PyTorch's threads wait actively for each other: beside other test processes that costs far more than it gains.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )


def printed_by(backend: str, script: Path, *arguments: str) -> str:
    """What the script printed; fails where it did not end well."""
    done = run_script(backend, script, *arguments)
    assert done.returncode == 0, f"{script.name} under {backend} gave {done.returncode}:\n{done.stderr[-4000:]}"
    return done.stdout
