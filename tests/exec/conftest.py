"""Each test of the window starts with an empty one that expects nothing, and with counters at zero."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import torchish as torch
from torchish._exec.window import THREADS


@pytest.fixture(autouse=True)
def fresh_window() -> Iterator[None]:
    torch.compiler.synchronize()
    torch.compiler.reset_stats()
    THREADS.context.expects_optimizer = False
    yield
    torch.compiler.synchronize()
