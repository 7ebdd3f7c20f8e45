"""DataLoader with workers: other processes, started afresh."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import torchish as torch
from torchish.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

ENVIRONMENT = {**os.environ, "XLA_FLAGS": "", "PYTHONPATH": str(Path(torch.__file__).parent.parent)}


class Samples(Dataset):
    """Random numbers of all sources, a large tensor, a row of a larger one, and faults where it is asked to."""

    def __init__(self, n: int = 6, fault: str = "") -> None:
        self.n, self.fault = n, fault
        self.rows = torch.arange(40.0).reshape(20, 2)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple:
        if i == 3 and self.fault == "value":
            raise ValueError("three is bad")
        if i == 3 and self.fault == "death":
            os._exit(7)
        if i == 3 and self.fault == "lambda":
            return (lambda: None,)
        return torch.rand(1), np.random.rand(), torch.full((20_000,), i), self.rows[i], get_worker_info().id


def test_batches_of_two_workers_in_order() -> None:
    torch.manual_seed(3)
    loader = DataLoader(Samples(), batch_size=2, num_workers=2, persistent_workers=True)
    first = list(loader)
    # Recorded from PyTorch: worker 0 loads the batches 0 and 2, worker 1 batch 1.
    drawn = [number for b in first for number in b[0].squeeze().tolist()]
    assert drawn == pytest.approx([0.2876, 0.6863, 0.7470, 0.8290, 0.6020, 0.6949], abs=1e-4)
    assert first[1][1].tolist() == pytest.approx([0.1355, 0.5719], abs=1e-4)
    assert [b[2][:, -1].tolist() for b in first] == [[0, 1], [2, 3], [4, 5]]
    assert first[2][3].tolist() == [[8.0, 9.0], [10.0, 11.0]]
    assert [b[4].tolist() for b in first] == [[0, 0], [1, 1], [0, 0]]
    again = list(loader)  # the same workers, whose generators go on
    assert [b[2][:, 0].tolist() for b in again] == [[0, 1], [2, 3], [4, 5]]
    assert again[0][0].tolist() != first[0][0].tolist()
    loader._iterator._shutdown_workers()  # type: ignore[union-attr]


def test_a_fault_in_a_worker_is_raised_here() -> None:
    loader = DataLoader(Samples(fault="value"), batch_size=2, num_workers=1)
    with pytest.raises(ValueError) as caught:
        list(loader)
    text = str(caught.value)
    assert text.startswith(
        "Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):"
    )
    assert text.endswith("ValueError: three is bad\n")


def test_a_batch_that_cannot_be_sent() -> None:
    loader = DataLoader(Samples(fault="lambda"), batch_size=None, sampler=[3], num_workers=1)
    with pytest.raises(Exception, match="in DataLoader worker process 0"):
        list(loader)


def test_a_worker_that_dies() -> None:
    loader = DataLoader(Samples(fault="death"), batch_size=2, num_workers=1)
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"):
        list(loader)


def test_leaving_an_epoch_early_leaves_nothing_behind() -> None:
    iterator = iter(DataLoader(Samples(12), batch_size=1, num_workers=2))
    next(iterator)
    processes = iterator._pool.processes  # type: ignore[attr-defined]
    del iterator
    assert not any(process.is_alive() for process in processes)


class Shard(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, 7, info.num_workers))


def test_an_iterable_dataset_ends_when_all_workers_have() -> None:
    loader = DataLoader(Shard(), batch_size=3, num_workers=2)
    assert [batch.tolist() for batch in loader] == [[0, 2, 4], [1, 3, 5], [6]]


def test_forked_workers_are_refused() -> None:
    with pytest.raises(RuntimeError, match="cannot be forked from a process that runs JAX"):
        DataLoader(range(3), num_workers=1, multiprocessing_context="fork")


UNGUARDED = """
    import torch
    from torch.utils.data import DataLoader, Dataset
    print("main")
    scale = 3
    class Scaled(Dataset):
        def __len__(self): return 4
        def __getitem__(self, i): return torch.tensor(float(i)) * scale
    for batch in DataLoader(Scaled(), batch_size=2, num_workers=1, collate_fn=lambda s: torch.stack(s)):
        print(batch)
"""


def _run(tmp_path: Path, script: str) -> subprocess.CompletedProcess:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))
    command = [sys.executable, "-m", "torchish", "run", str(path)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)


def test_with_cloudpickle_a_script_needs_no_guard(tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")
    done = _run(tmp_path, UNGUARDED)
    assert done.stdout.splitlines() == ["main", "tensor([0., 3.])", "tensor([6., 9.])"], done.stderr


def test_without_cloudpickle_the_error_names_the_extra(tmp_path: Path) -> None:
    done = _run(tmp_path, "import sys\nsys.modules['cloudpickle'] = None\n" + textwrap.dedent(UNGUARDED))
    assert done.returncode == 1
    assert "pip install torchish[workers]" in done.stderr
    assert "PicklingError" in done.stderr or "AttributeError" in done.stderr
