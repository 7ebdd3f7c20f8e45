"""How the window runs: statistics, eager mode, synchronisation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ._exec.statistics import STATISTICS, Reason
from ._exec.window import MOST_INSTRUCTIONS, THREADS, flush

__all__ = ["eager", "reset_stats", "stats", "synchronize"]


def stats() -> dict[str, Any]:
    """Counts since the start, or since ``reset_stats``.

    ``windows`` run and ``instructions`` in them; of the windows, ``hits`` of a compiled program, ``compiles`` and those
    ``interpreted``; ``flushes`` by reason; and ``compile_log``: for each recent compilation the user's line and what
    set the window apart from the nearest one known.
    """
    return STATISTICS.as_dict()


def reset_stats() -> None:
    """Start counting from zero."""
    STATISTICS.reset()


@contextlib.contextmanager
def eager(enabled: bool = True) -> Iterator[None]:
    """Run every operation at once, in this thread, as ``TORCHISH_EAGER=1`` does: for debugging."""
    context = THREADS.context
    flush(context.window, Reason.EAGER)
    before = context.limit
    context.limit = 1 if enabled else MOST_INSTRUCTIONS
    try:
        yield
    finally:
        context.limit = before


def synchronize() -> None:
    """Run what is pending in this thread."""
    flush(THREADS.context.window, Reason.SYNCHRONISE)
