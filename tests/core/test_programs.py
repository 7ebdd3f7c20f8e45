"""Small programs, a line or a few each, that print what PyTorch prints.

``programs.txt`` holds them, separated by ``---``; ``programs.json`` what PyTorch 2.13 printed for each, addresses
masked. ``python tests/core/test_programs.py`` records it anew; the oracle test says whether that is needed.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import torchish

FOLDER = Path(__file__).parent
PROGRAMS = [p.strip() for p in (FOLDER / "programs.txt").read_text().split("---\n")]
RECORD = FOLDER / "programs.json"


def printed(program: str, torch: ModuleType) -> str:
    """What the program prints, and how it ends if by an exception."""
    out = io.StringIO()
    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "np": np}
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            exec(program, names)
        except Exception as error:
            out.write(f"{type(error).__name__}: {error}\n")
    return re.sub(r"0x[0-9a-f]+", "0x", out.getvalue())


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_prints_what_pytorch_printed(number: int) -> None:
    recorded = json.loads(RECORD.read_text())
    assert printed(PROGRAMS[number], torchish) == recorded[PROGRAMS[number]]


@pytest.mark.oracle
def test_the_record_is_what_pytorch_prints() -> None:
    torch = pytest.importorskip("torch")
    recorded = json.loads(RECORD.read_text())
    assert {p: printed(p, torch) for p in PROGRAMS} == recorded


if __name__ == "__main__":
    import torch

    RECORD.write_text(json.dumps({p: printed(p, torch) for p in PROGRAMS}, indent=1) + "\n")
