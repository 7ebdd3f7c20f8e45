"""Scripts of our own for every behaviour that the tutorials show; each prints what PyTorch 2.13 printed.

``behaviours/NAME.py`` imports torchish, ``behaviours/NAME.txt`` is what it printed under PyTorch (see ``record.py``).
"""

from __future__ import annotations

import contextlib
import io
import runpy
from pathlib import Path

import pytest
from printed import assert_same
from record import SCRIPTS, printed_under_pytorch


def recorded(script: Path) -> str:
    return script.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_prints_what_pytorch_printed(script: Path) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(script), run_name="__main__")
    assert_same(recorded(script), printed.getvalue())


@pytest.mark.oracle
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_record_is_what_pytorch_prints(script: Path) -> None:
    assert_same(recorded(script), printed_under_pytorch(script))
