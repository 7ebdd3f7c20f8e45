"""Counts of what the window did, behind ``torchish.compiler.stats()``."""

from __future__ import annotations

import enum
import sys
import warnings
from collections import Counter
from typing import Any

from .execute import Instruction


class Reason(enum.Enum):
    """Why a window was flushed. Closed: every flush names one of these."""

    MATERIALISE = "data was read"
    DATA_SHAPE = "a result's shape depends on data"
    FULL = "the window was full"
    STEP_END = "backward() or optimizer.step() returned"
    SYNCHRONISE = "synchronize() was called"
    DEVICE = "the next op runs on another device"
    EAGER = "eager mode"


class Statistics:
    """Counters since the start or the last ``reset``."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.windows = self.instructions = self.hits = self.compiles = self.interpreted = 0
        self.flushes: Counter[Reason] = Counter()
        self.compile_log: list[dict[str, Any]] = []
        self._known: dict[tuple[str, ...], list[tuple[tuple, tuple, tuple]]] = {}

    def as_dict(self) -> dict[str, Any]:
        return {
            "windows": self.windows,
            "instructions": self.instructions,
            "hits": self.hits,
            "compiles": self.compiles,
            "interpreted": self.interpreted,
            "flushes": {reason.name.lower(): n for reason, n in self.flushes.items()},
            "compile_log": list(self.compile_log),
        }

    def note_compile(
        self, code: tuple[Instruction, ...], live: tuple[int, ...], donated: tuple[int, ...], reason: Reason
    ) -> None:
        """Record a compilation, with what sets it apart from the last known window of the same ops."""
        self.compiles += 1
        names = tuple(kernel.name for kernel, _ in code)
        variants = self._known.setdefault(names, [])
        difference = (
            _difference(variants[-1], (code, live, donated)) if variants else "ops not seen in this order before"
        )
        variants.append((code, live, donated))
        del variants[:-8]
        if len(self._known) > 1024:
            self._known.clear()
        line = user_line()
        self.compile_log.append(
            {"instructions": len(code), "reason": reason.name.lower(), "difference": difference, "line": line}
        )
        del self.compile_log[:-256]
        same = sum(1 for entry in self.compile_log if entry["line"] == line)
        if same == 64:
            warnings.warn(
                f"torchish has compiled the step at {line} {same} times; the last time because: {difference}. "
                "Shapes, dims and Python ints used as exponents or sizes are part of a compiled step; "
                "see torchish.compiler.stats().",
                stacklevel=2,
            )


def _difference(old: tuple, new: tuple) -> str:
    (old_code, old_live, old_donated), (code, live, donated) = old, new
    for (a, a_slots), (b, b_slots) in zip(old_code, code, strict=True):
        if a is not b:
            # What an op that reads no tensor makes is all there is to tell it by.
            which = "out_avals" if getattr(a, "in_avals", None) == getattr(b, "in_avals", None) else "in_avals"
            return f"{b.name}: {getattr(a, which, a)} became {getattr(b, which, b)}"
        if a_slots != b_slots:
            return f"{b.name} reads other operands"
    if old_live != live:
        return f"{len(live)} results are still in use, before it was {len(old_live)}"
    if old_donated != donated:
        return f"{len(donated)} large operands die in it, before it was {len(old_donated)}"
    return "dropped from the bounded cache"


def user_line() -> str:
    """``file:line`` of the innermost frame outside torchish and JAX."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("torchish", "jax", "contextlib", "functools", "threading"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "an unknown line"


STATISTICS = Statistics()
