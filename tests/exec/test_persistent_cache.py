"""Compiled programs are kept on disk: the second start of a script compiles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import jax
from jax import monitoring

counts = {"hits": 0, "misses": 0}

def count(event, **_):
    for kind in counts:
        if event == f"/jax/compilation_cache/cache_{kind}":
            counts[kind] += 1

monitoring.register_event_listener(count)

import torchish as torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
inputs = torch.randn(6, 4)
for _ in range(6):
    optimizer.zero_grad()
    loss = model(inputs).pow(2).mean()
    loss.backward()
    optimizer.step()
print(loss.item())
print(counts["misses"], counts["hits"], jax.config.jax_compilation_cache_dir)
"""


def start(script: Path, setting: str, home: Path) -> tuple[float, int, int, str]:
    """Run the script in a process of its own; its loss, cache misses and hits, and JAX's cache folder."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("JAX_COMPILATION")},
        "TORCHISH_CACHE_DIR": setting,
        "XDG_CACHE_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    if not setting:
        del environment["TORCHISH_CACHE_DIR"]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    loss, counted = done.stdout.splitlines()
    misses, hits, folder = counted.split(maxsplit=2)
    return float(loss), int(misses), int(hits), folder


def files(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-atime")}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def test_the_second_start_compiles_nothing(script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    first_loss, first_misses, _, used = start(script, str(folder), tmp_path)
    kept = files(folder)
    assert used == str(folder) and first_misses > 0 and kept
    loss, misses, hits, _ = start(script, str(folder), tmp_path)
    assert loss == first_loss
    assert misses == 0 and hits > 0
    assert files(folder) == kept


def test_the_cache_lies_in_the_users_cache_folder_unless_said(script: Path, tmp_path: Path) -> None:
    *_, used = start(script, "", tmp_path)
    assert used == str(tmp_path / "torchish") and files(tmp_path / "torchish")


def test_the_cache_can_be_stopped(script: Path, tmp_path: Path) -> None:
    _, misses, hits, used = start(script, "off", tmp_path)
    assert (misses, hits, used) == (0, 0, "None")
    assert not (tmp_path / "torchish").exists()
